import { isPodTerminal } from '#kinds/core/pod/state.ts';
import { addAmounts, podTotals, type Totals } from '#kinds/core/pod/totals.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { type Quantity, quantityOf } from '#machinery/quantity.ts';
import { parseTime } from '#machinery/time.ts';

const one = quantityOf(1);
const native = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** What a pod takes: its place in the store as long as it is there, everything else as long as it may run. */
export function podUsage(pod: Pod, nowMs: number): ReadonlyMap<string, Quantity> {
  const usage = new Map<string, Quantity>([['count/pods', one]]);
  if (pod.spec === undefined || isPodTerminal(pod) || isOverdue(pod, nowMs)) return usage;
  usage.set('pods', one);
  const requests = podTotals(pod.spec, 'requests');
  const limits = podTotals(pod.spec, 'limits');
  addAmounts(requests, pod.spec.overhead);
  for (const [resource, text] of Object.entries(pod.spec.overhead ?? {}))
    if (limits.has(resource)) addAmounts(limits, { [resource]: text });
  addCompute(usage, requests, limits);
  return usage;
}

function addCompute(usage: Map<string, Quantity>, requests: Totals, limits: Totals): void {
  for (const [resource, amount] of requests) {
    if (native.has(resource) || resource.startsWith('hugepages-')) {
      usage.set(resource, amount);
      usage.set(`requests.${resource}`, amount);
    } else if (resource.includes('/')) usage.set(`requests.${resource}`, amount);
  }
  for (const [resource, amount] of limits) if (native.has(resource)) usage.set(`limits.${resource}`, amount);
}

/** When a pod that is being deleted stops to count although nobody has confirmed its end: its node may be lost. */
export function overdueAtMs({ metadata }: Pod): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return undefined;
  return parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function isOverdue(pod: Pod, nowMs: number): boolean {
  const dueMs = overdueAtMs(pod);
  return dueMs !== undefined && nowMs > dueMs;
}

/** Resources that each container has to name when a quota limits them: older than QoS classes, and kept. */
const obligatory = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/** `must specify cpu for: a,b; memory for: a`; undefined when nothing is missing. */
export function podMissing(names: readonly string[], { spec }: Pod): string | undefined {
  const wanted = names.filter((name) => obligatory.has(name)).sort();
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const said = wanted.flatMap((name) => {
    if (isNamed(spec.resources, name)) return [];
    const missing = containers.filter(({ resources }) => !isNamed(resources, name)).map((container) => container.name);
    return missing.length === 0 ? [] : [`${name} for: ${[...new Set(missing)].sort().join(',')}`];
  });
  return said.length === 0 ? undefined : `must specify ${said.join('; ')}`;
}

function isNamed(resources: Container['resources'], name: string): boolean {
  if (name.startsWith('limits.')) return resources?.limits?.[name.slice('limits.'.length)] !== undefined;
  return resources?.requests?.[name.replace(/^requests\./, '')] !== undefined;
}
