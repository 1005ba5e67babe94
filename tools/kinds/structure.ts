import {
  definitions,
  goFields,
  olderScalars,
  type ProtobufField,
  presence,
  protobuf,
  scalars,
  shorten,
  typeOf,
} from './published.ts';

/** One field: [type, protobuf number, flags]. Flags name only what departs from the plain case. */
type FieldFlags = {
  /** Required. */
  r?: 1;
  /** List type and its keys. */
  l?: string;
  k?: string[];
  /** Patch strategies and merge key. */
  p?: string;
  m?: string;
  /** Owned as a whole. */
  a?: 0 | 1;
  /** What a zero value means; see field-presence.json. */
  n?: 'z' | 'w' | 'p';
  /** Numbers of the messages around the field that JSON does not show. */
  i?: number[];
  /** Lists travel in a message of their own, which has them as field 1. */
  x?: 1;
  /** Go's structs around the field, with dots, and its Go type, where neither follows from the rest. */
  g?: string;
};
type FieldRow = [type: string, number: number, flags?: FieldFlags];
/** Each type by its short name: its fields, and whether it is owned as a whole. */
export const structure: Record<string, { f: Record<string, FieldRow>; a?: 1 }> = {};
const protobufByShort = new Map(Object.entries(protobuf).map(([name, fields]) => [shorten(name), fields]));

for (const [longName, definition] of Object.entries(definitions)) {
  const name = shorten(longName);
  if (scalars[name] !== undefined) continue;
  const rows: Record<string, FieldRow> = {};
  for (const property of Object.keys(definition.properties ?? {}).sort()) {
    const value = definition.properties![property]!;
    const flags: FieldFlags = {};
    if (definition.required?.includes(property)) flags.r = 1;
    const listType = value['x-kubernetes-list-type'];
    if (listType !== undefined && listType !== 'atomic') flags.l = listType;
    if (value['x-kubernetes-list-map-keys'] !== undefined) flags.k = value['x-kubernetes-list-map-keys'];
    if (value['x-kubernetes-patch-strategy'] !== undefined) flags.p = value['x-kubernetes-patch-strategy'];
    if (value['x-kubernetes-patch-merge-key'] !== undefined) flags.m = value['x-kubernetes-patch-merge-key'];
    if (value['x-kubernetes-map-type'] === 'atomic') flags.a = 1;
    if (value['x-kubernetes-map-type'] === 'granular' && value.$ref !== undefined) flags.a = 0;
    rows[property] = fieldRow(name, property, typeOf(value), flags);
  }
  structure[name] = definition['x-kubernetes-map-type'] === 'atomic' ? { f: rows, a: 1 } : { f: rows };
}
addOlderMessages();

function fieldRow(message: string, property: string, type: string | undefined, flags: FieldFlags): FieldRow {
  const wire = wireField(message, property);
  if (wire !== undefined && wire.around.length > 0) flags.i = wire.around;
  if (wire !== undefined && /\b(ExtraValue|Verbs)\b/.test(wire.field[1])) flags.x = 1;
  const zero = presence[message]?.[property] ?? '';
  if (zero !== '') flags.n = zero;
  const shown = type ?? (wire === undefined ? 'string' : olderType(wire.prefix, wire.field[1], wire.field[2]));
  const go = goFields[message]?.[property];
  if (go !== undefined && go !== `|${goTypeOf(shown)}` && !writesItself(shown)) flags.g = go;
  const row: FieldRow = [shown, wire?.field[0] ?? 0];
  if (Object.keys(flags).length > 0) row.push(flags);
  return row;
}

/** The Go type that a type's name tells. */
function goTypeOf(type: string): string {
  if (type.startsWith('[]')) return `[]${goTypeOf(type.slice(2))}`;
  if (type.startsWith('{}')) return `map[string]${goTypeOf(type.slice(2))}`;
  const scalar: Readonly<Record<string, string>> = { boolean: 'bool', double: 'float64', bytes: '[]uint8' };
  return scalar[type] ?? type.split('.').slice(-2).join('.');
}

/** Types with decoders of their own, which say what they expect. */
function writesItself(type: string): boolean {
  return ['time', 'microTime', 'quantity', 'intOrString'].includes(type) || type.startsWith('any:');
}

/** Where the protobuf message has a JSON field: perhaps spelled otherwise, perhaps inside an embedded message. */
function wireField(
  message: string,
  property: string,
): { field: ProtobufField; around: number[]; prefix: string } | undefined {
  const plain = (name: string): string => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
  const fields = Object.entries(protobufByShort.get(message) ?? {});
  const prefix = message.slice(0, message.lastIndexOf('.'));
  const direct = fields.find(([name]) => plain(name) === plain(property));
  if (direct !== undefined) return { field: direct[1], around: [], prefix };
  for (const [name, [number, type, label]] of fields) {
    if (label === 'repeated' || type.startsWith('map<') || jsonName(message, name) !== undefined) continue;
    const inner = wireField(messageName(prefix, type), property);
    if (inner !== undefined) return { ...inner, around: [number, ...inner.around] };
  }
  return undefined;
}

/** The JSON name of a protobuf field; undefined for an embedded message, which JSON does not show. */
function jsonName(message: string, wireName: string): string | undefined {
  const plain = wireName.toLowerCase();
  const names = presence[message];
  if (names === undefined) return wireName;
  return Object.keys(names).find((name) => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase() === plain);
}

/** Versions that the server no longer serves, but whose objects still decode: structure from the protobuf interface alone. */
function addOlderMessages(): void {
  for (const [name, fields] of protobufByShort) {
    if (structure[name] !== undefined || scalars[name] !== undefined) continue;
    const rows: Record<string, FieldRow> = {};
    for (const field of Object.keys(presence[name] ?? fields).sort()) {
      rows[field] = fieldRow(name, field, undefined, {});
    }
    structure[name] = { f: rows };
  }
}

function messageName(prefix: string, type: string): string {
  const local = `${prefix}.${type}`;
  return protobufByShort.has(local) ? local : shorten(type.replace(/^\./, ''));
}

function olderType(prefix: string, type: string, label: string): string {
  if (label === 'repeated') return `[]${olderType(prefix, type, '')}`;
  const map = /^map<string, ?(.+)>$/.exec(type);
  if (map !== null) return `{}${olderType(prefix, map[1]!, '')}`;
  if (type === 'bool') return 'boolean';
  if (['string', 'int32', 'int64', 'double', 'bytes'].includes(type)) return type;
  if (/^(ExtraValue|Verbs)$/.test(type)) return '[]string';
  const name = messageName(prefix, type);
  return olderScalars[name] ?? scalars[name] ?? name;
}
