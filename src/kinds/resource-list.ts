import { formatQuantity, parseQuantity } from '#machinery/quantity.ts';

/** A list of resources under construction: `{ cpu: '100m' }`. */
export type ResourceList = Record<string, string>;

const milliNanos = 1_000_000n;

/** Amounts finer than a thousandth are rounded up to one. */
export function roundResources(resources: ResourceList | undefined): void {
  for (const [name, text] of Object.entries(resources ?? {})) {
    if (!/[nu.]/.test(text)) continue;
    const { nanos, format } = parseQuantity(text);
    const rest = nanos % milliNanos;
    if (rest === 0n) continue;
    resources![name] = formatQuantity({ nanos: nanos - rest + (nanos > 0n ? milliNanos : -milliNanos), format });
  }
}
