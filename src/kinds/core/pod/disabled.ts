import type * as core from '#kinds/generated/types/core_v1.ts';
import type { RuleContext } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';

type Spec = Mutable<core.PodSpec>;
type Gates = Pick<RuleContext, 'featureEnabled'>;

/** Sources of projected volumes by the feature gate that they need. */
const sourceGates = {
  clusterTrustBundle: 'ClusterTrustBundleProjection',
  podCertificate: 'PodCertificateRequest',
} as const;
const sources = ['clusterTrustBundle', 'podCertificate'] as const;

/**
 * What a feature gate that is off would bring into a pod or a template is left out, unless it is there already. A
 * source of a projected volume stays, with nothing in it.
 */
export function dropDisabledFields(spec: Spec | undefined, old: core.PodSpec | undefined, gates: Gates): void {
  if (spec === undefined) return;
  for (const name of sources) if (usesSource(spec, name)) dropSource(spec, old, name, gates);
  if (
    spec.schedulingGroup !== undefined &&
    old?.schedulingGroup === undefined &&
    !gates.featureEnabled('GenericWorkload')
  )
    delete spec.schedulingGroup;
  if (usesStopSignal(spec) && !usesStopSignal(old) && !gates.featureEnabled('ContainerStopSignals'))
    dropStopSignals(spec);
}

/** Where there is a template, at whatever depth. */
export function dropDisabledTemplateFields(
  template: Mutable<core.PodTemplateSpec> | undefined,
  old: core.PodTemplateSpec | undefined,
  gates: Gates,
): void {
  dropDisabledFields(template?.spec, old?.spec, gates);
}

function usesSource({ volumes = [] }: core.PodSpec, name: (typeof sources)[number]): boolean {
  return volumes.some(({ projected }) => projected?.sources?.some((source) => source[name] !== undefined) ?? false);
}

function dropSource(spec: Spec, old: core.PodSpec | undefined, name: (typeof sources)[number], gates: Gates): void {
  if (gates.featureEnabled(sourceGates[name]) || (old !== undefined && usesSource(old, name))) return;
  for (const { projected } of spec.volumes ?? []) for (const source of projected?.sources ?? []) delete source[name];
}

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

function usesStopSignal(spec: core.PodSpec | undefined): boolean {
  return containerLists.some((list) => spec?.[list]?.some(({ lifecycle }) => lifecycle?.stopSignal !== undefined));
}

function dropStopSignals(spec: Spec): void {
  for (const list of containerLists)
    for (const container of spec[list] ?? []) {
      if (container.lifecycle?.stopSignal === undefined) continue;
      delete container.lifecycle.stopSignal;
      if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
    }
}

/** The same for what is said of a pod. */
export function dropDisabledStatusFields(
  status: Mutable<core.PodStatus>,
  old: core.PodStatus | undefined,
  gates: Gates,
): void {
  const isNew = status.nodeAllocatableResourceClaimStatuses !== undefined;
  const wasThere = old?.nodeAllocatableResourceClaimStatuses !== undefined;
  if (isNew && !wasThere && !gates.featureEnabled('DRANodeAllocatableResources'))
    delete status.nodeAllocatableResourceClaimStatuses;
  if (tellsOfVolumes(status) && !tellsOfVolumes(old) && !gates.featureEnabled('ImageVolumeWithDigest'))
    for (const list of statusLists)
      for (const { volumeMounts = [] } of status[list] ?? [])
        for (const mount of volumeMounts) delete mount.volumeStatus;
}

const statusLists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

function tellsOfVolumes(status: core.PodStatus | undefined): boolean {
  return statusLists.some((list) =>
    status?.[list]?.some(({ volumeMounts }) => volumeMounts?.some(({ volumeStatus }) => volumeStatus !== undefined)),
  );
}
