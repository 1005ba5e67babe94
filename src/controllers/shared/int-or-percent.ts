/** A whole number, or a percentage of `total` such as `25%`, rounded as told. */
export function resolveIntOrPercent(
  value: number | string | undefined,
  total: number,
  { round }: { readonly round: 'up' | 'down' },
): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  if (percent === undefined) return 0;
  const exact = (Number(percent) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
