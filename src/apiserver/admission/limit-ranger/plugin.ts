import { addAmounts, podTotals, type Totals } from '#kinds/core/pod/totals.ts';
import { LimitRange } from '#kinds/generated/handles.ts';
import type {
  Container,
  LimitRangeItem,
  LimitRange as LimitRangeObject,
  PersistentVolumeClaim,
  Pod,
} from '#kinds/generated/types/core_v1.ts';
import { aggregated, forbidden } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { quantity } from '#machinery/quantity.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionAttributes, type AdmissionPlugin, objectAs, subjectName } from '../plugin.ts';
import { type Asked, atLeast, atMost, type Bound, ratioAtMost, requestAtMost, type Verdict } from './constraints.ts';

const annotation = 'kubernetes.io/limit-ranger';

type Resources = Record<string, string>;

/**
 * Containers get the defaults of the namespace's LimitRanges, and what pods, containers and claims ask for stays
 * within their bounds: https://kubernetes.io/docs/concepts/policy/limit-range/
 */
export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/pods', '/pods/resize', '/persistentvolumeclaims'],
  mutate(attributes, registry) {
    if (!isLimited(attributes) || attributes.request.resource.kind.resource !== 'pods') return;
    for (const range of rangesOf(registry, attributes)) setDefaults(objectAs<Pod>(attributes), range);
  },
  validate(attributes, registry) {
    if (!isLimited(attributes)) return;
    const isPod = attributes.request.resource.kind.resource === 'pods';
    for (const range of rangesOf(registry, attributes)) {
      const limits = range.spec?.limits ?? [];
      const problems = isPod
        ? podProblems(attributes.object as Pod, limits)
        : claimProblems(attributes.object as PersistentVolumeClaim, limits);
      const distinct = [...new Set(problems)];
      if (distinct.length === 0) continue;
      throw forbidden(attributes.request.resource.kind, subjectName(attributes), aggregated(distinct));
    }
  },
};

/** A pod's resources change through `resize` alone; what is being deleted is left in peace. */
function isLimited({ operation, request, oldObject }: AdmissionAttributes): boolean {
  if (oldObject?.metadata.deletionTimestamp !== undefined) return false;
  const isPlainPodUpdate = operation === 'UPDATE' && request.resource.kind.resource === 'pods';
  return !isPlainPodUpdate || request.subresource === 'resize';
}

function* rangesOf(registry: Registry, { request }: AdmissionAttributes): Generator<LimitRangeObject> {
  const { cache } = registry.resources.of(LimitRange).storage!;
  if (cache.size === 0) return;
  for (const entry of cache.entries(request.namespace)) yield entry.value.object as LimitRangeObject;
}

function setDefaults(pod: Mutable<Pod>, { spec }: LimitRangeObject): void {
  const limits: Resources = {};
  const requests: Resources = {};
  for (const item of spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    Object.assign(limits, item.default);
    Object.assign(requests, item.defaultRequest);
  }
  const notes = [
    ...(pod.spec.containers ?? []).flatMap((container) => fill(container, 'container', { limits, requests })),
    ...(pod.spec.initContainers ?? []).flatMap((container) => fill(container, 'init container', { limits, requests })),
  ];
  if (notes.length === 0) return;
  const text = `LimitRanger plugin set: ${notes.join('; ')}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: text };
}

/** Sets what the container leaves open, and says what that was. */
function fill(
  container: Mutable<Container>,
  type: string,
  defaults: { readonly limits: Resources; readonly requests: Resources },
): string[] {
  const notes: string[] = [];
  for (const [field, word] of [
    ['requests', 'request'],
    ['limits', 'limit'],
  ] as const) {
    const missing = Object.keys(defaults[field]).filter((name) => container.resources?.[field]?.[name] === undefined);
    if (missing.length === 0) continue;
    const added = Object.fromEntries(missing.map((name) => [name, defaults[field][name]!]));
    container.resources = { ...container.resources, [field]: { ...container.resources?.[field], ...added } };
    notes.push(`${missing.sort().join(', ')} ${word} for ${type} ${container.name}`);
  }
  return notes;
}

function podProblems(pod: Pod, limits: readonly LimitRangeItem[]): string[] {
  return limits.flatMap((item) => {
    if (item.type === 'Pod') return boundProblems(item, askedByPod(pod));
    if (item.type !== 'Container') return [];
    const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
    return containers.flatMap((container) => boundProblems(item, askedByContainer(container)));
  });
}

function askedByPod({ spec }: Pod): Asked {
  return { requests: podTotals(spec, 'requests'), limits: podTotals(spec, 'limits') };
}

function askedByContainer({ resources }: Container): Asked {
  return { requests: totals(resources?.requests), limits: totals(resources?.limits) };
}

function totals(amounts: Readonly<Record<string, string>> | undefined): Totals {
  const sums: Totals = new Map();
  addAmounts(sums, amounts);
  return sums;
}

function boundProblems(item: LimitRangeItem, asked: Asked): string[] {
  return [
    ...judged(item.min, item, (bound) => atLeast(bound, asked)),
    ...judged(item.max, item, (bound) => atMost(bound, asked)),
    ...judged(item.maxLimitRequestRatio, item, (bound) => ratioAtMost(bound, asked)),
  ];
}

function claimProblems({ spec }: PersistentVolumeClaim, limits: readonly LimitRangeItem[]): string[] {
  const asked = { requests: totals(spec?.resources?.requests), limits: new Map() };
  return limits
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap((item) => [
      ...judged(item.min, item, (bound) => atLeast(bound, asked)),
      ...judged(item.max, item, (bound) => requestAtMost(bound, asked)),
    ]);
}

function judged(
  bounds: Readonly<Record<string, string>> | undefined,
  { type }: LimitRangeItem,
  judge: (bound: Bound) => Verdict,
): string[] {
  return Object.entries(bounds ?? {}).flatMap(
    ([resource, text]) => judge({ type, resource, value: quantity(text) }) ?? [],
  );
}
