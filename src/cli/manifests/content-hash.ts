import { createHash } from 'node:crypto';
import type { JsonObject } from '#machinery/meta.ts';
import { goJson } from './objects.ts';

const replacements: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** Ten letters of what an object holds, without those that could spell something (kustomize's hash). */
export function contentHash(content: JsonObject): string {
  const digest = createHash('sha256').update(goJson(content)).digest('hex').slice(0, 10);
  return [...digest].map((letter) => replacements[letter] ?? letter).join('');
}
