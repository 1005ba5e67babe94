/**
 * What changed between two texts, as Go's difflib tells it: the longest common stretches first, lines that are all
 * over a long text not counted as a beginning of one, three lines of context.
 */
export function unifiedDiff(before: string, after: string): string {
  const [left, right] = [linesOf(before), linesOf(after)];
  const groups = groupsOf(stepsOf(matchesOf(left, right), left.length, right.length));
  return groups.map((group) => hunk(group, left, right)).join('');
}

const context = 3;
/** From this many lines on, lines that make up more than a hundredth of the text begin no match. */
const longText = 200;

/** Equal stretches: `left[a..a+size]` is `right[b..b+size]`. */
interface Match {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/** From `left[a1..a2]` to `right[b1..b2]`. */
interface Step {
  readonly isEqual: boolean;
  readonly a1: number;
  readonly a2: number;
  readonly b1: number;
  readonly b2: number;
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) => `${line}\n`);
}

function matchesOf(left: readonly string[], right: readonly string[]): readonly Match[] {
  const places = placesOf(right);
  const matches: Match[] = [];
  const visit = (a1: number, a2: number, b1: number, b2: number): void => {
    const match = longestMatch(left, right, places, { a1, a2, b1, b2 });
    if (match.size === 0) return;
    visit(a1, match.a, b1, match.b);
    const last = matches.at(-1);
    if (last !== undefined && last.a + last.size === match.a && last.b + last.size === match.b)
      matches[matches.length - 1] = { ...last, size: last.size + match.size };
    else matches.push(match);
    visit(match.a + match.size, a2, match.b + match.size, b2);
  };
  visit(0, left.length, 0, right.length);
  return matches;
}

/** Where each line is, but for those that are everywhere. */
function placesOf(lines: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const known = places.get(line);
    if (known === undefined) places.set(line, [index]);
    else known.push(index);
  }
  if (lines.length < longText) return places;
  const most = Math.floor(lines.length / 100) + 1;
  for (const [line, at] of places) if (at.length > most) places.delete(line);
  return places;
}

function longestMatch(
  left: readonly string[],
  right: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  { a1, a2, b1, b2 }: Omit<Step, 'isEqual'>,
): Match {
  let [a, b, size] = [a1, b1, 0];
  /** Lengths of the matches that end at the line before, by their place on the right. */
  let lengths = new Map<number, number>();
  for (let at = a1; at < a2; at++) {
    const next = new Map<number, number>();
    for (const place of places.get(left[at]!) ?? []) {
      if (place < b1 || place >= b2) continue;
      const length = (lengths.get(place - 1) ?? 0) + 1;
      next.set(place, length);
      if (length > size) [a, b, size] = [at - length + 1, place - length + 1, length];
    }
    lengths = next;
  }
  while (a > a1 && b > b1 && left[a - 1] === right[b - 1]) [a, b, size] = [a - 1, b - 1, size + 1];
  while (a + size < a2 && b + size < b2 && left[a + size] === right[b + size]) size++;
  return { a, b, size };
}

function stepsOf(matches: readonly Match[], leftLength: number, rightLength: number): readonly Step[] {
  const steps: Step[] = [];
  let [a, b] = [0, 0];
  for (const match of [...matches, { a: leftLength, b: rightLength, size: 0 }]) {
    if (a < match.a || b < match.b) steps.push({ isEqual: false, a1: a, a2: match.a, b1: b, b2: match.b });
    [a, b] = [match.a + match.size, match.b + match.size];
    if (match.size > 0) steps.push({ isEqual: true, a1: match.a, a2: a, b1: match.b, b2: b });
  }
  return steps;
}

/** Changes that lie near each other, with the equal lines around them. */
function groupsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups: Step[][] = [];
  let group: Step[] = [];
  for (const [index, step] of steps.entries()) {
    let shown = step;
    if (step.isEqual && index === 0) shown = { ...shown, ...fromEnd(shown) };
    if (step.isEqual && index === steps.length - 1) shown = { ...shown, ...fromStart(shown) };
    if (shown.isEqual && shown.a2 - shown.a1 > 2 * context) {
      groups.push([...group, { ...shown, ...fromStart(shown) }]);
      group = [{ ...shown, ...fromEnd(shown) }];
    } else group.push(shown);
  }
  groups.push(group);
  return groups.filter((one) => one.some(({ isEqual }) => !isEqual));
}

function fromStart({ a1, a2, b1, b2 }: Step): Pick<Step, 'a2' | 'b2'> {
  return { a2: Math.min(a2, a1 + context), b2: Math.min(b2, b1 + context) };
}

function fromEnd({ a1, a2, b1, b2 }: Step): Pick<Step, 'a1' | 'b1'> {
  return { a1: Math.max(a1, a2 - context), b1: Math.max(b1, b2 - context) };
}

function hunk(group: readonly Step[], left: readonly string[], right: readonly string[]): string {
  const [first, last] = [group[0]!, group.at(-1)!];
  const head = `@@ -${range(first.a1, last.a2)} +${range(first.b1, last.b2)} @@\n`;
  const lines = group.flatMap(({ isEqual, a1, a2, b1, b2 }) =>
    isEqual
      ? left.slice(a1, a2).map((line) => ` ${line}`)
      : [...left.slice(a1, a2).map((line) => `-${line}`), ...right.slice(b1, b2).map((line) => `+${line}`)],
  );
  return head + lines.join('');
}

function range(start: number, end: number): string {
  const length = end - start;
  if (length === 1) return String(start + 1);
  return `${length === 0 ? start : start + 1},${length}`;
}
