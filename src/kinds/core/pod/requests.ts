import { LruCache } from '#base/lru-cache.ts';
import type { PodSpec } from '#kinds/generated/types/core_v1.ts';
import { milliValue, quantity, wholeValue } from '#machinery/quantity.ts';

/** Amounts by resource name: cpu in thousandths of a core, everything else in whole units (bytes, devices). */
export type ResourceAmounts = ReadonlyMap<string, number>;

type Quantities = Readonly<Record<string, string>>;

/** A quantity as the scheduler counts it: thousandths for cpu, whole units rounded up for the rest. */
export function amountOf(resource: string, text: string): number {
  const cache = resource === 'cpu' ? thousandths : wholes;
  const known = cache.get(text);
  if (known !== undefined) return known;
  const parsed = quantity(text);
  const amount = resource === 'cpu' ? milliValue(parsed) : wholeValue(parsed);
  cache.set(text, amount);
  return amount;
}

/** A cluster's pods ask for few different amounts; each is parsed once. */
const amountCacheLimit = 1_000;
const thousandths = new LruCache<string, number>(amountCacheLimit);
const wholes = new LruCache<string, number>(amountCacheLimit);

export function amountsOf(quantities: Quantities | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [resource, text] of Object.entries(quantities ?? {})) amounts.set(resource, amountOf(resource, text));
  return amounts;
}

/**
 * What the pod asks of its node: the sum over its containers and sidecars, or what an init container needs while it
 * runs beside the sidecars started before it, whichever is more; pod-level requests override; overhead is added.
 */
export function podRequests(spec: PodSpec): ResourceAmounts {
  const total = new Map<string, number>();
  for (const { resources } of spec.containers ?? []) add(total, amountsOf(resources?.requests));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const needs = amountsOf(container.resources?.requests);
    if (container.restartPolicy === 'Always') {
      add(total, needs);
      add(sidecars, needs);
      raise(peak, sidecars);
    } else {
      const during = new Map(sidecars);
      add(during, needs);
      raise(peak, during);
    }
  }
  raise(total, peak);
  for (const [resource, amount] of amountsOf(spec.resources?.requests)) total.set(resource, amount);
  add(total, amountsOf(spec.overhead));
  return total;
}

function add(total: Map<string, number>, more: ResourceAmounts): void {
  for (const [resource, amount] of more) total.set(resource, (total.get(resource) ?? 0) + amount);
}

function raise(total: Map<string, number>, least: ResourceAmounts): void {
  for (const [resource, amount] of least) total.set(resource, Math.max(total.get(resource) ?? 0, amount));
}
