import { LruCache } from '#base/lru-cache.ts';
import { fail } from '../values/value.ts';
import { Machine, type Span } from './machine.ts';
import { parsePattern } from './parse.ts';
import { PatternError } from './syntax.ts';

export type Compiled =
  | { readonly machine: Machine; readonly error?: undefined }
  | { readonly machine?: undefined; readonly error: string };

const maxCompiled = 512;
/** By source. Refusals are kept as well. */
const compiled = new LruCache<string, Compiled>(maxCompiled);

/** Compiles a pattern of RE2's syntax, or finds that it has been. */
export function compilePattern(source: string): Compiled {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const made = build(source);
  compiled.set(source, made);
  return made;
}

function build(source: string): Compiled {
  try {
    return { machine: new Machine(parsePattern(source)) };
  } catch (error) {
    if (error instanceof PatternError) return { error: error.message };
    throw error;
  }
}

/** @throws Failure when it is no pattern. */
function machineOf(source: string): Machine {
  const { machine, error } = compilePattern(source);
  return machine ?? fail(error ?? '');
}

function codePoints(text: string): number[] {
  const points: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const point = text.codePointAt(index)!;
    points.push(point);
    if (point > 0xffff) index++;
  }
  return points;
}

const textOf = (points: readonly number[], { start, end }: Span): string =>
  points
    .slice(start, end)
    .map((point) => String.fromCodePoint(point))
    .join('');

/** Whether the pattern matches somewhere in the text. @throws Failure when it is no pattern. */
export function matchesText(text: string, pattern: string): boolean {
  return machineOf(pattern).search(codePoints(text), 0, { anywhere: true }) !== undefined;
}

/** The first match. */
export function findText(text: string, pattern: string): string | undefined {
  const points = codePoints(text);
  const span = machineOf(pattern).search(points);
  return span === undefined ? undefined : textOf(points, span);
}

/** Matches from left to right that do not overlap, at most `limit` of them. */
export function findAllTexts(text: string, pattern: string, limit: number = Number.POSITIVE_INFINITY): string[] {
  const machine = machineOf(pattern);
  const points = codePoints(text);
  const found: string[] = [];
  let from = 0;
  let previousEnd = -1;
  while (from <= points.length && found.length < limit) {
    const span = machine.search(points, from);
    if (span === undefined) break;
    const isEmpty = span.end === span.start;
    // As in Go, an empty match right behind another one does not count.
    if (!isEmpty || span.start !== previousEnd) {
      found.push(textOf(points, span));
    }
    previousEnd = span.end;
    from = isEmpty ? span.end + 1 : span.end;
  }
  return found;
}
