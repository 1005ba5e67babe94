/** Completed and failed indexes of a job: `1,3-5,7`. */

type Interval = readonly [first: number, last: number];

/** Why the text is no list of rising intervals below `completions`. */
export function indexesProblem(text: string, completions: number): string | undefined {
  let last: number | undefined;
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = intervalOf(part, completions);
    if (typeof interval === 'string') return interval;
    if (last !== undefined && last >= interval[0])
      return `non-increasing order, previous: ${last}, current: ${interval[0]}`;
    last = interval[1];
  }
  return undefined;
}

/** How many indexes a text names that has no problem. */
export function indexCount(text: string, completions: number): number {
  let count = 0;
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = intervalOf(part, completions);
    if (typeof interval !== 'string') count += interval[1] - interval[0] + 1;
  }
  return count;
}

/** The interval that a text says, or why it says none. */
function intervalOf(text: string, completions: number): Interval | string {
  const limits = text.split('-');
  if (limits.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const limit of limits) {
    if (!/^[+-]?\d+$/.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
  }
  const [first = 0, last = first] = limits.map(Number);
  if (limits.length > 1 && first >= last) return `non-increasing order, previous: ${first}, current: ${last}`;
  return [first, last];
}

/** The first index that both lists name; parts that are no intervals are passed over. */
export function commonIndex(left: string, right: string, completions: number): number | undefined {
  const intervals = (text: string): readonly Interval[] =>
    text.split(',').flatMap((part) => {
      const interval = intervalOf(part, completions);
      return typeof interval === 'string' ? [] : [interval];
    });
  const others = intervals(right);
  for (const [first, last] of intervals(left)) {
    const other = others.find((interval) => first <= interval[1] && interval[0] <= last);
    if (other !== undefined) return Math.max(first, other[0]);
  }
  return undefined;
}
