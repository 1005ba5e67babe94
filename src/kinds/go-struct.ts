import { GoMap, goJson } from '#machinery/errors.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { emptiedFields, withEmptied } from '#machinery/sent-empty.ts';
import { unifiedDiff } from '#machinery/unified-diff.ts';
import table from './generated/go-structs.json' with { type: 'json' };

/**
 * Messages of validation show values as upstream's server holds them: in its own structs, whose fields have Go's
 * names and order and are there even when empty.
 */
export type GoStruct = keyof typeof table;

const structs = table as unknown as Readonly<Record<string, readonly string[]>>;

/** How upstream's server would print a value that clients know by its JSON names. */
export function goStruct(name: GoStruct, value: unknown): JsonObject {
  return structValue(name, (value ?? {}) as JsonObject);
}

/** Upstream's server keeps these with the security context. */
function withHostSettings(spec: JsonObject): JsonObject {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, ...rest } = spec;
  const own = (spec['securityContext'] ?? {}) as JsonObject;
  const context = { ...own, hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return { ...rest, securityContext: withEmptied(context, own) } as unknown as JsonObject;
}

/** Upstream's structs hold metadata among their own fields, and so does what Go writes of them without a name for it. */
function withFlatMetadata(name: string, value: JsonObject): JsonObject {
  const { metadata, ...rest } = value;
  if (typeof metadata !== 'object' || metadata === null || hasMetadata(name)) return value;
  return { ...(metadata as JsonObject), ...rest } as JsonObject;
}

function hasMetadata(name: string): boolean {
  return structs[name]!.some((row) => /^ObjectMeta:|:metadata\b/.test(row));
}

/** How upstream tells what changed in a value of which nothing may. */
export function goDiff(name: GoStruct, before: unknown, after: unknown): string {
  return unifiedDiff(goJson(goStruct(name, before), 1), goJson(goStruct(name, after), 1));
}

function structValue(name: string, object: JsonObject): JsonObject {
  const value = name === 'core.PodSpec' ? withHostSettings(object) : withFlatMetadata(name, object);
  const known = new Map(
    Object.entries({ ...emptiedFields(object), ...value }).map(([key, member]) => [key.toLowerCase(), member as Json]),
  );
  const result: Record<string, Json> = {};
  for (const row of structs[name]!) {
    const [field, type, tag] = row.split(':') as [string, string, string | undefined];
    const [jsonName = '', ...options] = tag?.split(',') ?? [];
    const key = (jsonName || field).toLowerCase();
    const shown = goValue(type, known.get(key) ?? known.get(otherNames[key] ?? key.replace(/value(?=s?$)/, '')));
    if (options.length > 0 && (type.startsWith('*') ? shown === null : isLeftOut(shown))) continue;
    result[jsonName || field] = shown;
  }
  return result as JsonObject;
}

/** Fields that clients know by quite another name. */
const otherNames: Readonly<Record<string, string>> = {
  datadiskuri: 'diskuri',
  endpointsname: 'endpoints',
  discoverychapauth: 'chapauthdiscovery',
  sessionchapauth: 'chapauthsession',
  cephmonitors: 'monitors',
  rbdimage: 'image',
  rbdpool: 'pool',
  radosuser: 'user',
};

function isLeftOut(value: Json): boolean {
  if (value === null || value === '' || value === 0 || value === false) return true;
  if (value instanceof GoMap) return value.entries.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function goValue(type: string, value: Json | undefined): Json {
  if (type.startsWith('*')) return value === undefined || value === null ? null : goValue(type.slice(1), value);
  if (type.startsWith('[]'))
    return Array.isArray(value) ? value.map((item: Json) => goValue(type.slice(2), item)) : null;
  if (type.startsWith('{}')) return mapValue(type.slice(2), value as JsonObject | undefined);
  if (structs[type] !== undefined) return structValue(type, (value ?? {}) as JsonObject);
  return value ?? zero[type] ?? null;
}

function mapValue(values: string, value: JsonObject | undefined): Json {
  if (value === undefined || value === null) return null;
  const entries = Object.keys(value).map((key) => [key, goValue(values, value[key])]);
  return new GoMap(Object.fromEntries(entries)) as unknown as Json;
}

const zero: Readonly<Record<string, Json>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  uint16: 0,
  Quantity: '0',
  IntOrString: 0,
};
