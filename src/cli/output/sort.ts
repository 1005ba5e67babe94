import { compilePath, JsonPathError } from '#machinery/jsonpath/evaluate.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { parseQuantity } from '#machinery/quantity.ts';
import { CliError } from '../failures.ts';
import type { TableRow } from './table.ts';

/** Sorts by what a path reaches in each object; objects without it come first. Throws CliError for a bad path. */
export function sortObjects(objects: readonly JsonObject[], path: string): readonly JsonObject[] {
  return sortBy(objects, path, (object) => object);
}

export function sortRows(rows: readonly TableRow[], path: string): readonly TableRow[] {
  return sortBy(rows, path, (row) => row.object ?? {});
}

function sortBy<Item>(items: readonly Item[], path: string, objectOf: (item: Item) => JsonObject): readonly Item[] {
  let read: (data: Json) => readonly Json[];
  try {
    read = compilePath(path, { allowMissingKeys: true });
  } catch (error) {
    if (error instanceof JsonPathError) throw new CliError(error.message);
    throw error;
  }
  const keyed = items.map((item) => ({ item, key: read(objectOf(item))[0] }));
  if (items.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw new CliError(
      `couldn't find any field with path "{${path.replace(/^\{|\}$/g, '').replace(/^\.?/, '.')}}" in the list of objects`,
    );
  }
  return keyed.sort((left, right) => compareKeys(left.key, right.key)).map(({ item }) => item);
}

function compareKeys(left: Json | undefined, right: Json | undefined): number {
  if (left === undefined || left === null) return right === undefined || right === null ? 0 : -1;
  if (right === undefined || right === null) return 1;
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [a, b] = [String(left), String(right)];
  const [x, y] = [quantityOf(a), quantityOf(b)];
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : 0;
  return natural(a, b);
}

function quantityOf(text: string): bigint | undefined {
  if (!/^[+-]?[\d.]/.test(text)) return undefined;
  try {
    return parseQuantity(text).nanos;
  } catch {
    return undefined;
  }
}

/** Digits within text count as numbers: `pod-2` before `pod-10`. */
function natural(left: string, right: string): number {
  const [a, b] = [left.match(/\d+|\D+/g) ?? [], right.match(/\d+|\D+/g) ?? []];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [x, y] = [a[at]!, b[at]!];
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y) && Number(x) !== Number(y)) return Number(x) - Number(y);
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}
