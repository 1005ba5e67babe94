import type * as core from '#kinds/generated/types/core_v1.ts';
import { ipWarnings } from '#machinery/ip.ts';
import type { ObjectMeta } from '#machinery/meta.ts';
import { label1123Problems } from '#machinery/names.ts';
import { containersOf, containerWarnings } from './containers.ts';
import { placementWarnings, selectorWarnings } from './placement.ts';
import { portWarnings } from './ports.ts';
import { fractionWarnings } from './resources.ts';
import { volumeWarnings } from './volumes.ts';

/** What is odd about a new pod. Changes of pods are many, and made by programs: nobody is warned of them. */
export function podWarnings(pod: core.Pod, old: core.Pod | undefined): readonly string[] {
  if (old !== undefined) return [];
  return [...nameWarnings(pod, "the Pod's hostname"), ...specWarnings(pod.spec, pod.metadata, '')];
}

/** Of the addresses that a status brings. */
export function podStatusWarnings({ status }: core.Pod): readonly string[] {
  return (['podIPs', 'hostIPs'] as const).flatMap((field) =>
    (status?.[field] ?? []).flatMap(({ ip }, index) => ipWarnings(ip, `status.${field}[${index}].ip`)),
  );
}

/** What is odd about the name of a kind that makes pods: it should do for a host. */
export function nameWarnings(
  { metadata }: { readonly metadata: ObjectMeta },
  use = 'Pod names and hostnames',
): readonly string[] {
  const problems = label1123Problems(metadata.name ?? '');
  if (problems.length === 0) return [];
  const result = 'which can result in surprising behavior; a DNS label is recommended';
  return [`metadata.name: this is used in ${use}, ${result}: [${problems.join(' ')}]`];
}

/** What is odd about pods that will be made after a template. */
export function templateWarnings(template: core.PodTemplateSpec | undefined, path: string): readonly string[] {
  return template?.spec === undefined ? [] : specWarnings(template.spec, template.metadata ?? {}, path);
}

/** What is odd about a kind that makes pods: its name once, its template whenever what it asks for has changed. */
export function makerWarnings<T extends PodMaker>(maker: T, old: T | undefined): readonly string[] {
  const isSame = maker.metadata.generation === old?.metadata.generation;
  return [
    ...(old === undefined ? nameWarnings(maker) : []),
    ...(isSame ? [] : templateWarnings(maker.spec.template, 'spec.template')),
  ];
}

interface PodMaker {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly template?: core.PodTemplateSpec | undefined };
}

const oldAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
const podSeccomp = 'seccomp.security.alpha.kubernetes.io/pod';

/** @param path where the template is; '' for a pod. */
function specWarnings(spec: core.PodSpec, { annotations = {} }: ObjectMeta, path: string): string[] {
  const prefix = path === '' ? '' : `${path}.`;
  const at = `${prefix}spec`;
  const containers = containersOf(spec, at);
  const warnings = placementWarnings(spec, at);
  for (const [key, message] of Object.entries(oldAnnotations))
    if (annotations[key] !== undefined) warnings.push(`${prefix}metadata.annotations[${key}]: ${message}`);
  if (spec.volumes !== undefined) warnings.push(...volumeWarnings(spec.volumes, `${at}.volumes`));
  if (spec.hostAliases !== undefined)
    warnings.push(
      ...repeated(
        spec.hostAliases.map(({ ip }) => ip ?? ''),
        `${at}.hostAliases`,
        'ip',
      ),
    );
  if (spec.imagePullSecrets !== undefined) {
    const names = spec.imagePullSecrets.map(({ name = '' }) => name);
    const secrets = `${at}.imagePullSecrets`;
    warnings.push(...repeated(names, secrets, 'name'));
    for (const [index, name] of names.entries())
      if (name === '') warnings.push(`${secrets}[${index}].name: invalid empty name ""`);
  }
  for (const name of ['memory', 'ephemeral-storage'])
    warnings.push(...fractionWarnings(spec.overhead, name, `${at}.overhead`));
  if (annotations[podSeccomp] !== undefined && spec.securityContext?.seccompProfile === undefined)
    warnings.push(
      `${prefix}metadata.annotations[${podSeccomp}]: non-functional in v1.27+; use the "seccompProfile" field instead`,
    );
  for (const placed of containers) warnings.push(...containerWarnings(placed, spec, annotations, prefix));
  warnings.push(...portWarnings(containers));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const detail = 'must be >= 0; negative values are invalid and will be treated as 1';
    warnings.push(`${at}.terminationGracePeriodSeconds: ${detail}`);
  }
  if (spec.affinity !== undefined) warnings.push(...selectorWarnings(spec.affinity, `${at}.affinity`));
  for (const [index, server] of (spec.dnsConfig?.nameservers ?? []).entries())
    warnings.push(...ipWarnings(server, `${at}.dnsConfig.nameservers[${index}]`));
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries())
    warnings.push(...ipWarnings(ip ?? '', `${at}.hostAliases[${index}].ip`));
  return warnings;
}

function repeated(values: readonly string[], path: string, field: string): string[] {
  const seen = new Set<string>();
  const warnings: string[] = [];
  for (const [index, value] of values.entries()) {
    if (seen.has(value)) warnings.push(`${path}[${index}].${field}: duplicate ${field} ${JSON.stringify(value)}`);
    seen.add(value);
  }
  return warnings;
}
