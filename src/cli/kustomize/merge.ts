import type { Json, JsonObject } from '#machinery/meta.ts';
import type { Field, ListSchema, ObjectSchema, Schema } from '#machinery/schema.ts';

/**
 * A strategic merge as kustomize does it, which is not quite the server's: what a patch adds to or changes in a list
 * comes first, whatever the order was, and items of maps with several keys are matched by those that they have.
 * Undefined when the patch deletes the object.
 */
export function mergePatch(
  object: JsonObject,
  patch: JsonObject,
  schema: ObjectSchema | undefined,
): JsonObject | undefined {
  return mergeValue(object, patch, { schema, field: undefined }) as JsonObject | undefined;
}

interface Place {
  readonly schema: Schema | undefined;
  readonly field: Field | undefined;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function mergeValue(value: Json | undefined, patch: Json | undefined, place: Place): Json | undefined {
  if (patch === undefined) return value;
  if (patch === null) return undefined;
  if (isObject(patch)) return mergeMaps(isObject(value) ? value : undefined, patch, place);
  if (Array.isArray(patch) && place.field?.patchStrategies.includes('merge') === true) {
    return mergeLists(Array.isArray(value) ? value : undefined, patch, place);
  }
  return patch;
}

function mergeMaps(value: JsonObject | undefined, patch: JsonObject, { schema }: Place): JsonObject | undefined {
  const { $patch: directive, ...fields } = patch;
  if (directive === 'delete') return undefined;
  const base = directive === 'replace' ? {} : (value ?? {});
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [name, below] of Object.entries(fields)) {
    const result = mergeValue(base[name], below, placeOf(schema, name));
    if (result === undefined) delete merged[name];
    else merged[name] = result;
  }
  return merged;
}

function placeOf(schema: Schema | undefined, name: string): Place {
  if (schema?.type === 'map') return { schema: schema.values, field: undefined };
  const field = schema?.type === 'object' ? schema.fields.get(name) : undefined;
  return { schema: field?.schema, field };
}

function mergeLists(value: readonly Json[] | undefined, patch: readonly Json[], place: Place): Json | undefined {
  const directive = patch.find((item) => isObject(item) && Object.keys(item).length === 1 && '$patch' in item);
  const items = patch.filter((item) => item !== directive);
  const what = isObject(directive) ? directive['$patch'] : undefined;
  if (what === 'delete') return undefined;
  const base = what === 'replace' ? [] : (value ?? []);
  const schema = place.schema?.type === 'list' ? place.schema : undefined;
  const keys = keysOf(schema, place.field);
  if (keys.length === 0) return [...new Set([...items, ...base])];
  return mergeItems(base as readonly JsonObject[], items as readonly JsonObject[], { keys, items: schema?.items });
}

function keysOf(schema: ListSchema | undefined, field: Field | undefined): readonly string[] {
  if (schema?.listType === 'map' && schema.keys.length > 0) return schema.keys;
  return field?.patchMergeKey === undefined ? [] : [field.patchMergeKey];
}

/** The text of each key of an item, '' for one that it lacks. */
type KeyTexts = readonly string[];

/** The merged items of the patch in its order, then the others as they stood. */
function mergeItems(
  base: readonly JsonObject[],
  patch: readonly JsonObject[],
  { keys, items }: { readonly keys: readonly string[]; readonly items: Schema | undefined },
): readonly JsonObject[] {
  let old = base;
  let merged: readonly JsonObject[] = [];
  const wanted = sharing(distinct([...patch, ...base].map((item) => keys.map((key) => textOf(item[key])))));
  const hasKey = keys.map((_, index) => wanted.some((texts) => texts[index] !== ''));
  for (const texts of wanted) {
    const given = keys.flatMap((key, index) => (texts[index] === '' ? [] : [[key, texts[index]!] as const]));
    const before = old.find((item) => hasTexts(item, given));
    const change = patch.find((item) => hasTexts(item, given));
    const after =
      before !== undefined && change === undefined
        ? before
        : mergeMaps(before, change ?? {}, { schema: items, field: undefined });
    const [names, values] = [keys.filter((_, index) => hasKey[index]), texts.filter((_, index) => hasKey[index])];
    if ((before === undefined && change === undefined) || after === undefined || Object.keys(after).length === 0) {
      old = withItem(old, undefined, names, values);
      continue;
    }
    const isReplaced = change?.['$patch'] === 'replace';
    if (before !== undefined && !isReplaced) old = old.map((item) => (item === before ? after : item));
    merged = withItem(merged, after, names, values);
  }
  return old.reduce(
    (list, item) =>
      withOldItem(
        list,
        item,
        keys.filter((_, index) => hasKey[index]),
      ),
    merged,
  );
}

const textOf = (value: Json | undefined): string =>
  value === undefined || value === null || typeof value === 'object' ? '' : String(value);

function distinct(list: readonly KeyTexts[]): KeyTexts[] {
  return [...new Map(list.map((texts) => [JSON.stringify(texts), texts])).values()];
}

/** Items that agree in a key, and lack others, are taken for one: each gets the texts that the other has. */
function sharing(list: KeyTexts[]): readonly KeyTexts[] {
  if ((list[0]?.length ?? 0) < 2) return list;
  for (let left = 0; left < list.length; left++) {
    for (let right = 0; right < list.length; right++) {
      const [a, b] = [list[left]!, list[right]!];
      const agree = a.some((text, index) => text === b[index]);
      const clash = a.some((text, index) => text !== b[index] && text !== '' && b[index] !== '');
      if (!agree || clash) continue;
      const both = a.map((text, index) => text || b[index]!);
      list[left] = both;
      list[right] = both;
    }
  }
  return list;
}

const hasTexts = (item: JsonObject, given: readonly (readonly [string, string])[]): boolean =>
  given.length > 0 && given.every(([key, text]) => textOf(item[key]) === text);

/** The list with the item in the place of those that have its keys, or at the end; undefined takes these away. */
function withItem(
  list: readonly JsonObject[],
  item: JsonObject | undefined,
  keys: readonly string[],
  values: KeyTexts,
): readonly JsonObject[] {
  const given = keys.slice(0, values.length).map((key, index) => [key, values[index]!] as const);
  const isMeant = (each: JsonObject): boolean =>
    given.length > 0 &&
    given.every(([key, text]) => each[key] !== undefined && (text === '' || textOf(each[key]) === text));
  if (item === undefined) return list.filter((each) => !isMeant(each));
  return list.some(isMeant) ? list.map((each) => (isMeant(each) ? item : each)) : [...list, item];
}

/** An old item that lacks a key goes to the end, and before what was merged: so kustomize does it, for good or ill. */
function withOldItem(list: readonly JsonObject[], item: JsonObject, keys: readonly string[]): readonly JsonObject[] {
  const values = keys.flatMap((key) => (item[key] === undefined || item[key] === null ? [] : [textOf(item[key])]));
  const cleared = keys.length > 1 ? withItem(list, undefined, keys, values) : list;
  return withItem(cleared, item, keys, values);
}
