import type { Random } from '#base/random.ts';
import { randomInteger } from '#base/random.ts';
import { cloneJson } from '#machinery/clone.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { ObjectSchema, Schema } from '#machinery/schema.ts';
import { enumerations, numbers, words } from './words.ts';

/** One change of an object: a value put somewhere, or something taken out. */
export interface Mutation {
  readonly path: readonly (string | number)[];
  /** Undefined takes the member out. */
  readonly value: Json | undefined;
}

type Mutable = { [key: string]: Json | undefined } & { [index: number]: Json };

/** The object with the mutations made, as far as their places are there. */
export function mutated(base: JsonObject, mutations: readonly Mutation[]): JsonObject {
  const object = cloneJson(base) as unknown as Mutable;
  for (const { path, value } of mutations) {
    let holder: Mutable | undefined = object;
    for (const step of path.slice(0, -1)) {
      const next: Json | undefined = holder[step as string];
      holder = typeof next === 'object' && next !== null ? (next as unknown as Mutable) : undefined;
      if (holder === undefined) break;
    }
    const last = path.at(-1);
    if (holder === undefined || last === undefined) continue;
    if (value !== undefined) holder[last as string] = cloneJson(value);
    else if (Array.isArray(holder)) (holder as unknown as Json[]).splice(Number(last), 1);
    else delete holder[last as string];
  }
  return object as JsonObject;
}

/** A place in an object and the type that belongs there. */
interface Place {
  readonly path: readonly (string | number)[];
  readonly schema: Schema | undefined;
  readonly value: Json | undefined;
}

const maxDepth = 12;
/** What no client is to write, and the identity by which cases find their object. */
const untouched = new Set(['managedFields', 'apiVersion', 'kind', 'resourceVersion', 'uid', 'creationTimestamp']);

/** Every member there is, and every member of a known type that could be. */
export function placesOf(value: Json, schema: Schema | undefined): readonly Place[] {
  const places: Place[] = [];
  visit(value, schema, [], places);
  return places;
}

function visit(
  value: Json | undefined,
  schema: Schema | undefined,
  path: readonly (string | number)[],
  places: Place[],
): void {
  if (path.length > maxDepth) return;
  if (path.length > 0) places.push({ path, schema, value });
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const items = schema?.type === 'list' ? schema.items : undefined;
    for (const [index, item] of value.entries()) visit(item, items, [...path, index], places);
    return;
  }
  const fields = schema?.type === 'object' ? schema.fields : new Map<string, { readonly schema: Schema }>();
  const values = schema?.type === 'map' ? schema.values : undefined;
  for (const key of new Set([...Object.keys(value), ...fields.keys()])) {
    if (path.length <= 1 && untouched.has(key)) continue;
    visit((value as JsonObject)[key], fields.get(key)?.schema ?? values, [...path, key], places);
  }
}

/** A random change at a random place: something left out, something odd, something plausible, something of the wrong type. */
export function randomMutation(random: Random, base: JsonObject, schema: ObjectSchema): Mutation {
  const places = placesOf(base, schema);
  const present = places.filter(({ value }) => value !== undefined);
  const from = random.next() < 0.6 ? present : places;
  const place = pick(random, from.length > 0 ? from : places);
  const { path, value } = place;
  const dice = random.next();
  if (value !== undefined && dice < 0.2) return { path, value: undefined };
  if (dice < 0.25) return { path, value: wrongType(random, value) };
  if (dice < 0.28) return { path: [...path.slice(0, -1), 'nonsense'], value: 'unknown' };
  if (Array.isArray(value) && value.length > 0 && dice < 0.6) return { path, value: [...value, pick(random, value)] };
  return { path, value: plausible(random, String(path.at(-1)), place.schema, 0, fieldNameOf(path)) };
}

function fieldNameOf(path: readonly (string | number)[]): string {
  return String(path.findLast((step) => typeof step === 'string') ?? '');
}

function wrongType(random: Random, value: Json | undefined): Json {
  return pick(
    random,
    ([7, 'text', true, [], {}, null, ['a'], { a: 'b' }] as Json[]).filter((other) => typeof other !== typeof value),
  );
}

export function plausible(random: Random, name: string, schema: Schema | undefined, depth: number, field = name): Json {
  switch (schema?.type) {
    case 'boolean':
      return random.next() < 0.5;
    case 'int32':
    case 'int64':
      return pick(random, numbers);
    case 'double':
      return pick(random, [...numbers, 1.5]);
    case 'bytes':
      return pick(random, ['', 'YQ==', 'not base64!', '{}']);
    case 'quantity':
      return pick(random, ['1', '100m', '1Gi', '-1', '0', 'abc', '1.5', 2]);
    case 'time':
      return pick(random, ['2026-01-01T00:00:00Z', 'yesterday', '2026-01-01']);
    case 'microTime':
      return pick(random, ['2026-01-01T00:00:00.000000Z', 'yesterday', '2026-01-01T00:00:00Z']);
    case 'intOrString':
      return pick(random, [0, 1, -1, 80, 70_000, 'http', '50%', '150%', '', 'Not-A-Port']);
    case 'any':
      return pick(random, [{}, { a: 1 }, [], 'text'] as Json[]);
    case 'list':
      return Array.from({ length: randomInteger(random, 3) }, () =>
        plausible(random, name, schema.items, depth + 1, field),
      );
    case 'map':
      return Object.fromEntries(
        Array.from({ length: randomInteger(random, 3) }, () => [
          pick(random, words),
          plausible(random, '', schema.values, depth + 1),
        ]),
      );
    case 'object':
      return plausibleObject(random, schema, depth);
    default:
      return plausibleText(random, field);
  }
}

/** A few members, all of them at a depth where there is no end otherwise. */
function plausibleObject(random: Random, schema: ObjectSchema, depth: number): Json {
  const names = [...schema.fields.keys()];
  const chance = depth > 3 ? 0.05 : Math.min(0.7, 3 / (names.length + 1));
  const chosen = names.filter((name) => schema.fields.get(name)!.required || random.next() < chance);
  if (depth > 6) return {};
  return Object.fromEntries(
    chosen.map((name) => [name, plausible(random, name, schema.fields.get(name)!.schema, depth + 1)]),
  );
}

function plausibleText(random: Random, field: string): string {
  const own = Object.hasOwn(enumerations, field) ? enumerations[field]! : [];
  return own.length > 0 && random.next() < 0.7 ? pick(random, own) : pick(random, words);
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[randomInteger(random, choices.length)]!;
}
