import { maximumNesting } from './conform.ts';
import type { Json } from './meta.ts';

const quote = '"';
const backslash = 0x5c;
const colon = 0x3a;

/**
 * Whether each object of a JSON text names each of its members once, and none nests too deep. Cheap, because the platform
 * does the searching: the text has as many names as `value`, which was parsed from it, has members, or one was lost.
 */
export function namesMembersOnce(text: string, value: Json): boolean {
  return namesIn(text) === membersOf(value);
}

/** Strings that a colon follows. */
function namesIn(text: string): number {
  let names = 0;
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at)) {
    at = text.indexOf(quote, at + 1);
    while (isEscaped(text, at)) at = text.indexOf(quote, at + 1);
    at++;
    while (text.charCodeAt(at) <= 0x20) at++;
    if (text.charCodeAt(at) === colon) names++;
  }
  return names;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === backslash) before--;
  return (at - before) % 2 === 0;
}

/** Not a number for what nests too deep. */
function membersOf(value: Json, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > maximumNesting) return Number.NaN;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += membersOf(item, depth + 1);
    return members;
  }
  for (const key of Object.keys(value))
    members += 1 + membersOf((value as Readonly<Record<string, Json>>)[key]!, depth + 1);
  return members;
}
