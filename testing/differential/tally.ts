import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Case } from './cases.ts';

/** Differences of one kind of object, operation and member. */
export interface Group {
  count: number;
  readonly examples: { readonly seed: number; readonly asked: Case; readonly found: readonly string[] }[];
}

/** Where a run is: what is created is asked first, before there is an object of each kind, then all else. */
export const phases = ['create', 'others'] as const;

/** What a run has found so far: enough to print its summary, and to go on where it was left. */
export interface Progress {
  /** The options that the requests come from: a run goes on only with the same. */
  readonly asked: string;
  phase: number;
  /** Cases before this one, counted from the first seed, are done in this phase. */
  next: number;
  compared: number;
  readonly explained: Record<string, number>;
  readonly groups: Record<string, Group>;
}

/** What the file says of a run with the same options, or a run's beginning. */
export function progressIn(file: string | undefined, asked: string): Progress {
  const start = { asked, phase: 0, next: 0, compared: 0, explained: {}, groups: {} };
  if (file === undefined) return start;
  const text = readIfThere(file);
  if (text === undefined) return start;
  const found = JSON.parse(text) as Progress;
  if (found.asked !== asked) throw new Error(`${file} is of another run: ${found.asked}`);
  return found;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file is the old or the new one, whole, whenever the run ends. */
export function keepProgress(file: string, progress: Progress): void {
  writeFileSync(`${file}.new`, JSON.stringify(progress));
  renameSync(`${file}.new`, file);
}

export function countExplained({ explained }: Progress, explanation: string): void {
  explained[explanation] = (explained[explanation] ?? 0) + 1;
}

export function groupOf({ groups }: Progress, key: string): Group {
  groups[key] ??= { count: 0, examples: [] };
  return groups[key];
}

/** @param show the request of a case, in a line */
export function summaryOf({ groups, explained, compared }: Progress, show: (asked: Case) => string): string {
  const lines: string[] = [];
  const largestFirst = Object.entries(groups).sort(([, left], [, right]) => right.count - left.count);
  for (const [key, { count, examples }] of largestFirst) {
    lines.push('', `${count} × ${key}`);
    for (const { seed, asked, found } of examples)
      lines.push(`  seed ${seed}: ${show(asked)}`, ...found.slice(0, 6).map((line) => `    ${line}`));
  }
  const different = largestFirst.reduce((sum, [, { count }]) => sum + count, 0);
  const known = Object.entries(explained);
  lines.push('', ...known.map(([why, count]) => `explained by ${why}: ${count}`));
  const explainedInAll = known.reduce((sum, [, count]) => sum + count, 0);
  lines.push(
    `${compared} requests, ${different} answered differently, in ${largestFirst.length} ways; ${explainedInAll} more explained`,
  );
  return `${lines.join('\n')}\n`;
}
