import type { Container, PodSpec } from '#kinds/generated/types/core_v1.ts';
import { addQuantities, compareQuantities, type Quantity, quantity } from '#machinery/quantity.ts';

/** Exact amounts by resource name. */
export type Totals = Map<string, Quantity>;

type Quantities = Readonly<Record<string, string>> | undefined;

/**
 * What a pod's containers ask for, or may use, together: the sum over containers and sidecars, or what an init
 * container takes beside the sidecars started before it, whichever is more; what the pod as a whole says overrides
 * it. Without the runtime's overhead.
 */
export function podTotals(spec: PodSpec, of: 'requests' | 'limits'): Totals {
  const own = (container: Container): Quantities => container.resources?.[of];
  const total: Totals = new Map();
  for (const container of spec.containers ?? []) addAmounts(total, own(container));
  const sidecars: Totals = new Map();
  const peaks: Totals[] = [];
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addAmounts(total, own(container));
      addAmounts(sidecars, own(container));
    } else {
      const during = new Map(sidecars);
      addAmounts(during, own(container));
      peaks.push(during);
    }
  }
  for (const peak of peaks) for (const [resource, amount] of peak) raise(total, resource, amount);
  for (const [resource, text] of Object.entries(spec.resources?.[of] ?? {})) total.set(resource, quantity(text));
  return total;
}

export function addAmounts(sums: Totals, amounts: Quantities): void {
  for (const [resource, text] of Object.entries(amounts ?? {})) {
    const known = sums.get(resource);
    const amount = quantity(text);
    sums.set(resource, known === undefined ? amount : addQuantities(known, amount));
  }
}

function raise(total: Totals, resource: string, least: Quantity): void {
  const current = total.get(resource);
  if (current === undefined || compareQuantities(current, least) < 0) total.set(resource, least);
}
