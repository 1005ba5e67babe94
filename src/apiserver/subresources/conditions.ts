/** A condition as statuses hold it. */
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string | undefined;
}

/** The conditions with one of them new, in its place; the time of its last transition moves only with its status. */
export function withCondition<C extends Condition>(
  conditions: readonly C[] = [],
  next: Omit<C, 'lastTransitionTime'> & Condition,
  now: string,
): C[] {
  const place = conditions.findIndex(({ type }) => type === next.type);
  const before = conditions[place];
  const lastTransitionTime = (before?.status === next.status ? before.lastTransitionTime : undefined) ?? now;
  const all = [...conditions];
  all.splice(place < 0 ? all.length : place, 1, { ...next, lastTransitionTime } as unknown as C);
  return all;
}
