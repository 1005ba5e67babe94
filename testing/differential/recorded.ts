import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { Case } from './cases.ts';
import type { NormalAnswer } from './normal-form.ts';

/** A question and what the official server answered. */
export interface Recorded {
  readonly asked: Case;
  readonly answer: NormalAnswer;
}

export const recordFile = join(import.meta.dirname, 'recorded.jsonl.br');

export function readRecorded(): readonly Recorded[] {
  const lines = brotliDecompressSync(readFileSync(recordFile)).toString().split('\n');
  return lines.map((line) => JSON.parse(line) as Recorded);
}
