import type * as core from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { appArmorAnnotation, profileOfAnnotation } from '../app-armor.ts';
import { fractionWarnings } from './resources.ts';

/** A container and where it stands. */
export type PlacedContainer = readonly [container: core.Container | core.EphemeralContainer, path: string];

export function containersOf(spec: core.PodSpec, path: string): readonly PlacedContainer[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index): PlacedContainer => [container, `${path}.${field}[${index}]`]),
  );
}

const containerSeccomp = 'container.seccomp.security.alpha.kubernetes.io/';

/** @param prefix where the metadata is: '' for a pod, `spec.template.` for a template. */
export function containerWarnings(
  [container, path]: PlacedContainer,
  spec: core.PodSpec,
  annotations: Readonly<Record<string, string>>,
  prefix: string,
): string[] {
  const { name, securityContext, resources, env } = container;
  const warnings: string[] = [];
  const seccomp = `${containerSeccomp}${name}`;
  if (annotations[seccomp] !== undefined && securityContext?.seccompProfile === undefined)
    warnings.push(
      `${prefix}metadata.annotations[${seccomp}]: non-functional in v1.27+; use the "seccompProfile" field instead`,
    );
  const appArmor = `${appArmorAnnotation}${name}`;
  const isInTemplate = prefix !== '';
  if (isInTemplate && annotations[appArmor] !== undefined && securityContext?.appArmorProfile === undefined) {
    const profile = spec.securityContext?.appArmorProfile;
    const isSame = profile !== undefined && equalValues(profile, profileOfAnnotation(annotations[appArmor]));
    if (!isSame)
      warnings.push(
        `${prefix}metadata.annotations[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`,
      );
  }
  for (const resource of ['memory', 'ephemeral-storage'])
    for (const list of ['limits', 'requests'] as const)
      warnings.push(...fractionWarnings(resources?.[list], resource, `${path}.resources.${list}`));
  if ((env ?? []).length > 1) warnings.push(...hiddenVariables(env!, `${path}.env`));
  return warnings;
}

/** A variable may build on an earlier one of its name; otherwise the earlier one is lost. */
function hiddenVariables(variables: readonly core.EnvVar[], path: string): string[] {
  const seen = new Set<string>();
  const warnings: string[] = [];
  for (const [index, { name, value = '', valueFrom }] of variables.entries()) {
    const reference = `$(${name})`;
    const isLost = valueFrom !== undefined || value === reference || !value.includes(reference);
    if (seen.has(name) && isLost) {
      const what = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
      warnings.push(`${path}[${index}]: ${what}`);
    }
    seen.add(name);
  }
  return warnings;
}
