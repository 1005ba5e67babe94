import { stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';

/**
 * An object as KYAML (KEP-5295): YAML in which brackets say what belongs together, every text is in quotes, and no word can be
 * taken for anything but what it is. Keys stand as `value` has them.
 */
export function printKyaml(value: Json): string {
  return `---\n${node(value, 0)}\n`;
}

const step = '  ';
/** Two lines in the source that are one for a reader. */
const fold = '\\\n';

function node(value: Json, level: number): string {
  if (typeof value === 'string') return text(value, level + 1);
  if (Array.isArray(value)) return list(value, level);
  if (typeof value === 'object' && value !== null) return mapping(value as JsonObject, level);
  return stringifyJson(value);
}

function mapping(object: JsonObject, level: number): string {
  const entries = Object.entries(object).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  if (entries.length === 0) return '{}';
  const inner = step.repeat(level + 1);
  const lines = entries.map(([key, value]) => `${inner}${keyText(key)}: ${node(value, level + 1)},\n`);
  return `{\n${lines.join('')}${step.repeat(level)}}`;
}

/** Objects and lists are held together; anything else has a line of its own. */
function list(items: readonly Json[], level: number): string {
  if (items.length === 0) return '[]';
  if (items.every((item) => typeof item === 'object' && item !== null))
    return `[${items.map((item) => node(item, level)).join(', ')}]`;
  const inner = step.repeat(level + 1);
  return `[\n${items.map((item) => `${inner}${node(item, level + 1)},\n`).join('')}${step.repeat(level)}]`;
}

function text(value: string, level: number): string {
  if (!value.includes('\n')) return `"${[...value].map(escaped).join('')}"`;
  const indent = step.repeat(level);
  const pieces = value.split('\n');
  const lines = pieces.map((piece, index) => {
    const isLast = index === pieces.length - 1;
    if (piece === '') return isLast ? '' : `${indent} \\n${fold}`;
    // Space in front of a line would be taken for its indentation.
    const start = /^\s/.test(piece) ? '\\' : ' ';
    return `${indent}${start}${[...piece].map(escaped).join('')}${isLast ? '' : '\\n'}${fold}`;
  });
  return `"${fold}${lines.join('')}${indent}"`;
}

function keyText(key: string): string {
  return isPlainWord(key)
    ? key
    : `"${[...key].map((each) => (each === '\t' ? '\\t' : each === '\n' ? '\\n' : escaped(each))).join('')}"`;
}

const wordPattern = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_./-]*[\p{L}\p{N}_])?$/u;
/** Read by some YAML parser as nothing, a truth, a number or a day. */
const ambiguous = [
  /^(?:null|true|false|t|f|y|n|yes|no|on|off|inf|infinity|nan)$/i,
  /^(?:\d+|0b[01]+|0o[0-7]+|0x[\da-f]+)$/i,
  /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i,
  /^\d{4}-\d{1,2}-\d{1,2}$/,
];

function isPlainWord(key: string): boolean {
  const bare = key.replaceAll('_', '');
  return wordPattern.test(key) && !ambiguous.some((pattern) => pattern.test(key) || pattern.test(bare));
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\t',
  '\u000b': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escaped(character: string): string {
  const known = shortEscapes[character];
  if (known !== undefined) return known;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
  const code = character.codePointAt(0)!;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x1_0000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
