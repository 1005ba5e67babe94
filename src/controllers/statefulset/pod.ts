import { StatefulSet as StatefulSetKind } from '#kinds/generated/handles.ts';
import type { StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '#kinds/generated/types/core_v1.ts';
import { podFromTemplate } from '../shared/pods.ts';
import { revisionHashLabel } from '../shared/revisions.ts';

const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

export function podNameFor(set: StatefulSet, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

/** The number at the end of a pod's name; undefined when the name is not one of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const name = pod.metadata.name ?? '';
  const prefix = `${set.metadata.name}-`;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

function claimNameFor(set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** The claims that the pod of this ordinal keeps over its replacements. */
export function claimsFor(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    metadata: {
      ...template.metadata,
      name: claimNameFor(set, template, ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
    },
  }));
}

/** The pod of this ordinal, made from a revision's template. */
export function podFor(set: StatefulSet, template: PodTemplateSpec, revisionName: string, ordinal: number): Pod {
  const pod = podFromTemplate(StatefulSetKind, set, template);
  const { generateName: _, ...metadata } = pod.metadata;
  const name = podNameFor(set, ordinal);
  const own = new Set((set.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name));
  const others = (template.spec?.volumes ?? []).filter((volume) => !own.has(volume.name));
  const claims: readonly Volume[] = (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    name: claim.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimNameFor(set, claim, ordinal) },
  }));
  const volumes = [...claims, ...others];
  const { serviceName } = set.spec;
  return {
    metadata: {
      ...metadata,
      name,
      labels: {
        ...metadata.labels,
        [podNameLabel]: name,
        [podIndexLabel]: String(ordinal),
        [revisionHashLabel]: revisionName,
      },
    },
    spec: {
      ...pod.spec!,
      hostname: name,
      ...(serviceName === undefined || serviceName === '' ? {} : { subdomain: serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}
