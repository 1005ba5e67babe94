import { Pod } from '#kinds/generated/handles.ts';
import type { Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import { type FieldError, invalid } from '#machinery/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { subjectName } from '../plugin.ts';
import type { PodSecurityConfiguration } from './configuration.ts';
import { findingsOf, reasonsOf } from './evaluate.ts';
import {
  compareLevels,
  formatLevelVersion,
  isFullyPrivileged,
  type LevelVersion,
  labelPrefix,
  modes,
  type Policy,
  parsePolicy,
  sameLevelVersion,
} from './policy.ts';
import { podSubject } from './templates.ts';

/** Pods that are looked at when a namespace becomes stricter. */
const maxPods = 3000;
/** Time for it: the request waits. */
const maxMs = 1000;

/** Checks the labels of a namespace; warns of pods that a new policy would not let in. @throws ApiError 422. */
export function validateNamespace(
  attributes: AdmissionAttributes,
  registry: Registry,
  configuration: PodSecurityConfiguration,
): void {
  const { operation, request, object, oldObject } = attributes;
  const labels = object?.metadata.labels ?? {};
  const { policy, errors } = parsePolicy(labels, configuration.defaults);
  const name = subjectName(attributes);
  if (operation === 'CREATE') {
    if (errors.length > 0) throw invalid(request.resource.kind, name, errors);
    warnOfExemption(attributes, { name, policy, labels }, configuration);
    return;
  }
  const old = parsePolicy(oldObject?.metadata.labels ?? {}, configuration.defaults);
  if (errors.length > 0 && !sameErrors(errors, old.errors)) throw invalid(request.resource.kind, name, errors);
  const { enforce } = policy;
  if (sameLevelVersion(enforce, old.policy.enforce) || enforce.level === 'privileged') return;
  const isLooser = compareLevels(enforce.level, old.policy.enforce.level) < 1;
  if (enforce.version === old.policy.enforce.version && isLooser) return;
  if (configuration.exemptions.namespaces.includes(name)) {
    warnOfExemption(attributes, { name, policy, labels }, configuration);
    return;
  }
  for (const warning of violations(registry, configuration, { namespace: name, enforce })) request.warn(warning);
}

function sameErrors(left: readonly FieldError[], right: readonly FieldError[]): boolean {
  const text = (errors: readonly FieldError[]): string =>
    errors.map(({ path, message }) => `${path} ${message}`).join();
  return text(left) === text(right);
}

function warnOfExemption(
  { request }: AdmissionAttributes,
  namespace: { readonly name: string; readonly policy: Policy; readonly labels: Readonly<Record<string, string>> },
  { defaults, exemptions }: PodSecurityConfiguration,
): void {
  const { name, policy, labels } = namespace;
  if (!exemptions.namespaces.includes(name) || isFullyPrivileged(policy)) return;
  const isEquivalent = modes.every(
    (mode) =>
      sameLevelVersion(policy[mode], defaults[mode]) ||
      (policy[mode].level === 'privileged' && defaults[mode].level === 'privileged'),
  );
  if (isEquivalent) return;
  const said = modes.filter(
    (mode) =>
      policy[mode].level !== 'privileged' &&
      (labels[`${labelPrefix}${mode}`] !== undefined || labels[`${labelPrefix}${mode}-version`] !== undefined),
  );
  const asked = said.map((mode) => `${mode}=${formatLevelVersion(policy[mode])}`).join(', ');
  request.warn(
    `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${asked}) will be ignored`,
  );
}

function violations(
  registry: Registry,
  { exemptions }: PodSecurityConfiguration,
  { namespace, enforce }: { readonly namespace: string; readonly enforce: LevelVersion },
): readonly string[] {
  const all = byImportance(registry, namespace, exemptions.runtimeClasses);
  const { clock } = registry.environment;
  const deadlineMs = clock.monotonic() + maxMs;
  const violating = new Map<string, string[]>();
  let checked = 0;
  for (const pod of all) {
    if (checked === maxPods || clock.monotonic() > deadlineMs) break;
    checked++;
    const reasons = reasonsOf(findingsOf(enforce, podSubject(pod)));
    if (reasons === '') continue;
    const names = violating.get(reasons) ?? [];
    names.push(pod.metadata.name ?? '');
    violating.set(reasons, names);
  }
  const warnings: string[] = [];
  if (checked < all.length)
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checked} of ${all.length} existing pods`,
    );
  if (violating.size === 0) return warnings;
  warnings.push(
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(formatLevelVersion(enforce))}`,
  );
  const lines = [...violating].map(([reasons, names]) => `${counted(names)}: ${reasons}`);
  return [...warnings, ...lines.sort()];
}

function counted(names: readonly string[]): string {
  const first = [...names].sort()[0] ?? '';
  if (names.length === 1) return first;
  return `${first} (and ${names.length - 1} other ${names.length === 2 ? 'pod' : 'pods'})`;
}

/** One pod of each controller first: its others are most likely the same. */
function byImportance(registry: Registry, namespace: string, exemptClasses: readonly string[]): readonly PodObject[] {
  const first: PodObject[] = [];
  const others: PodObject[] = [];
  const seen = new Set<string>();
  for (const { value } of registry.resources.of(Pod).storage!.cache.entries(namespace)) {
    const pod = value.object as PodObject;
    if (exemptClasses.includes(pod.spec.runtimeClassName ?? '')) continue;
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
    if (owner !== undefined && seen.has(owner)) others.push(pod);
    else first.push(pod);
    if (owner !== undefined) seen.add(owner);
  }
  return [...first, ...others];
}
