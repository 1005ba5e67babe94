import { readFileSync } from 'node:fs';
import { compilePath, textOf } from '#machinery/jsonpath/evaluate.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';
import { formatColumns } from './table.ts';

interface Column {
  readonly header: string;
  read(object: Json): readonly Json[];
}

export const isCustomColumns = (output: string): boolean => /^custom-columns(-file)?(=|$)/.test(output);

/** The printer of `-o custom-columns=NAME:.metadata.name,…` and of `custom-columns-file=FILE`. Throws CliError. */
export function customColumnsPrinter(
  output: string,
  options: { readonly noHeaders: boolean },
): (objects: readonly JsonObject[]) => string {
  const equals = output.indexOf('=');
  const argument = equals < 0 ? '' : output.slice(equals + 1);
  if (argument === '') throw new CliError('custom-columns format specified but no custom columns given');
  const columns = output.startsWith('custom-columns-file') ? fromFile(argument) : fromSpecification(argument);
  return (objects) => {
    const rows = objects.map((object) => columns.map((column) => cellOf(column.read(object))));
    return formatColumns([...(options.noHeaders ? [] : [columns.map(({ header }) => header)]), ...rows]);
  };
}

function fromSpecification(text: string): readonly Column[] {
  return splitOutsideBrackets(text).map((part) => {
    const colon = part.indexOf(':');
    if (colon < 0) {
      throw new CliError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    }
    return { header: part.slice(0, colon), read: pathReader(part.slice(colon + 1)) };
  });
}

/** Commas within a filter or a union belong to the path. */
function splitOutsideBrackets(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of text) {
    if (character === '[' || character === '(') depth++;
    if (character === ']' || character === ')') depth--;
    if (character === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

/** Headers on the first line, paths on the second. */
function fromFile(path: string): readonly Column[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new CliError(`error reading template ${path}, open ${path}: no such file or directory`);
  }
  const [headers = [], paths = []] = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
  if (headers.length !== paths.length) {
    throw new CliError(`number of headers (${headers.length}) and field specifications (${paths.length}) don't match`);
  }
  return headers.map((header, index) => ({ header, read: pathReader(paths[index] ?? '') }));
}

function pathReader(path: string): Column['read'] {
  try {
    return compilePath(path, { allowMissingKeys: true });
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}

function cellOf(values: readonly Json[]): string {
  return values.length === 0 ? '<none>' : values.map((value) => goText(value)).join(',');
}

/** Containers stand as Go prints its maps and lists. */
function goText(value: Json): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value === 'object') {
    const object = value as JsonObject;
    const members = Object.keys(object).sort();
    return `map[${members.map((key) => `${key}:${goText(object[key] ?? null)}`).join(' ')}]`;
  }
  return textOf(value);
}
