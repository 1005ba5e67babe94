/**
 * Writes src/kinds/generated from the published v1.36 interface (a folder with swagger.json, protobuf-fields.json,
 * discovery-*.json and table-columns.json) and from two files beside this one. field-presence.json: the JSON names of
 * each type's fields, with `z` where a zero value is left out, `w` where one is written, `p` where absence is written as
 * null (pointers; those that are never stored absent aside), '' where absence has a meaning of its own. go-fields.json, made by read-go-structs.ts: the Go types that messages name.
 * Usage: node tools/generate-kinds.ts FOLDER
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Property = {
  type?: string;
  format?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-map-type'?: string;
};
type Definition = Property & {
  properties?: Record<string, Property>;
  required?: string[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
};
type ProtobufField = [number: number, type: string, label: string];
type DiscoveryResource = {
  resource: string;
  singularResource?: string;
  scope?: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  responseKind: { group: string; version: string; kind: string };
  subresources?: {
    subresource: string;
    verbs: string[];
    responseKind: { group: string; version: string; kind: string };
    acceptedTypes?: object[];
  }[];
};
type DiscoveryGroup = {
  metadata: { name?: string };
  versions: { version: string; resources: DiscoveryResource[]; freshness?: string }[];
};

const source = process.argv[2] ?? fail('usage: node tools/generate-kinds.ts FOLDER');
const target = join(import.meta.dirname, '../src/kinds/generated');
const read = <T>(file: string): T => JSON.parse(readFileSync(join(source, file), 'utf8')) as T;
const definitions = read<{ definitions: Record<string, Definition> }>('swagger.json').definitions;
const protobuf = {
  ...read<Record<string, Record<string, ProtobufField>>>('protobuf-fields.json'),
  ...registrationFields(),
};
const presence = JSON.parse(readFileSync(join(import.meta.dirname, 'field-presence.json'), 'utf8')) as Record<
  string,
  Record<string, '' | 'z' | 'w'>
>;
const goFields = JSON.parse(readFileSync(join(import.meta.dirname, 'go-fields.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>;

/** The group of APIServices is published apart from the others; its wire numbers are few. */
function registrationFields(): Record<string, Record<string, ProtobufField>> {
  const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
  const own = 'k8s.io.kube_aggregator.pkg.apis.apiregistration.v1.';
  const one = (number: number, type: string): ProtobufField => [number, type, 'optional'];
  const many = (number: number, type: string): ProtobufField => [number, type, 'repeated'];
  return {
    [`${own}APIService`]: {
      metadata: one(1, `${meta}ObjectMeta`),
      spec: one(2, `${own}APIServiceSpec`),
      status: one(3, `${own}APIServiceStatus`),
    },
    [`${own}APIServiceList`]: { metadata: one(1, `${meta}ListMeta`), items: many(2, `${own}APIService`) },
    [`${own}APIServiceSpec`]: {
      service: one(1, `${own}ServiceReference`),
      group: one(2, 'string'),
      version: one(3, 'string'),
      insecureSkipTLSVerify: one(4, 'bool'),
      caBundle: one(5, 'bytes'),
      groupPriorityMinimum: one(7, 'int32'),
      versionPriority: one(8, 'int32'),
    },
    [`${own}APIServiceStatus`]: { conditions: many(1, `${own}APIServiceCondition`) },
    [`${own}APIServiceCondition`]: {
      type: one(1, 'string'),
      status: one(2, 'string'),
      lastTransitionTime: one(3, `${meta}Time`),
      reason: one(4, 'string'),
      message: one(5, 'string'),
    },
    [`${own}ServiceReference`]: { namespace: one(1, 'string'), name: one(2, 'string'), port: one(3, 'int32') },
  };
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** `io.k8s.api.core.v1.Pod` and `k8s.io.api.core.v1.Pod` are both `core.v1.Pod` here. */
const shorten = (name: string): string =>
  name
    .replace(/^(io\.k8s|k8s\.io)\./, '')
    .replace(/^api\./, '')
    .replace(/^apimachinery\.pkg\.(apis|api|util)\./, '')
    .replace(/^apimachinery\.pkg\./, '')
    .replace(/^(apiextensions[-_]apiserver\.pkg\.apis|kube[-_]aggregator\.pkg\.apis)\./, '');

const scalars: Record<string, string> = {
  'meta.v1.Time': 'time',
  'meta.v1.MicroTime': 'microTime',
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'runtime.RawExtension': 'any:runtime.RawExtension',
  'meta.v1.FieldsV1': 'any:meta.v1.FieldsV1',
  'meta.v1.Patch': 'any:',
  'apiextensions.v1.JSON': 'any:apiextensions.v1.JSON',
  'apiextensions.v1.JSONSchemaPropsOrArray': 'any:apiextensions.v1.JSONSchemaPropsOrArray',
  'apiextensions.v1.JSONSchemaPropsOrBool': 'any:apiextensions.v1.JSONSchemaPropsOrBool',
  'apiextensions.v1.JSONSchemaPropsOrStringArray': 'any:apiextensions.v1.JSONSchemaPropsOrStringArray',
};

/** Scalars of versions that are no longer served. */
const olderScalars: Record<string, string> = Object.fromEntries(
  ['JSON', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray'].map((name) => [
    `apiextensions.v1beta1.${name}`,
    `any:apiextensions.v1beta1.${name}`,
  ]),
);

/** A type in one string: `string`, `[]core.v1.Container`, `{}quantity`, `core.v1.PodSpec`. */
function typeOf(property: Property): string {
  if (property.$ref !== undefined) {
    const name = shorten(property.$ref.replace('#/definitions/', ''));
    return scalars[name] ?? name;
  }
  switch (property.type) {
    case 'array':
      return `[]${typeOf(property.items!)}`;
    case 'object':
      return property.additionalProperties === undefined ? 'any:' : `{}${typeOf(property.additionalProperties)}`;
    case 'integer':
      return property.format === 'int64' ? 'int64' : 'int32';
    case 'number':
      return 'double';
    case 'boolean':
      return 'boolean';
    case 'string':
      return property.format === 'byte' ? 'bytes' : 'string';
    default:
      return 'any:';
  }
}

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
const structure: Record<string, { f: Record<string, FieldRow>; a?: 1 }> = {};
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

interface ResourceRow {
  group: string;
  version: string;
  resource: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  object: string;
  subresources?: { name: string; group: string; version: string; kind: string; verbs: string[] }[];
}

const resources: ResourceRow[] = [];
const definitionByKind = new Map<string, string>();
for (const [longName, definition] of Object.entries(definitions)) {
  const kinds = definition['x-kubernetes-group-version-kind'] ?? [];
  if (kinds.length === 1)
    definitionByKind.set(`${kinds[0]!.group}/${kinds[0]!.version}/${kinds[0]!.kind}`, shorten(longName));
}
for (const resource of coreResources()) resources.push(resourceRow('', 'v1', resource));
for (const group of read<{ items: DiscoveryGroup[] }>('discovery-apis.json').items) {
  for (const version of group.versions) {
    for (const resource of version.resources)
      resources.push(resourceRow(group.metadata.name ?? '', version.version, resource));
  }
}

/** The core group is published in the older, flat form: subresources stand beside their resources. */
function coreResources(): DiscoveryResource[] {
  type Flat = {
    name: string;
    kind: string;
    group?: string;
    version?: string;
    namespaced: boolean;
    singularName: string;
    verbs: string[];
    shortNames?: string[];
    categories?: string[];
  };
  const flat = read<{ resources: Flat[] }>('discovery-core-v1.json').resources;
  const kindOf = ({ group = '', version = '', kind }: Flat) => ({ group, version, kind });
  return flat
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const subresources = flat
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(resource.name.length + 1),
          verbs: sub.verbs,
          responseKind: kindOf(sub),
        }));
      return {
        resource: resource.name,
        singularResource: resource.singularName,
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        verbs: resource.verbs,
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        responseKind: kindOf(resource),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}

function resourceRow(group: string, version: string, resource: DiscoveryResource): ResourceRow {
  const kind = resource.responseKind.kind;
  const object =
    definitionByKind.get(`${group}/${version}/${kind}`) ?? fail(`no definition for ${group}/${version}/${kind}`);
  return {
    group,
    version,
    resource: resource.resource,
    singular: resource.singularResource ?? kind.toLowerCase(),
    kind,
    namespaced: resource.scope === 'Namespaced',
    verbs: resource.verbs,
    ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories === undefined ? {} : { categories: resource.categories }),
    object,
    ...(resource.subresources === undefined
      ? {}
      : {
          subresources: resource.subresources.map((sub) => ({
            name: sub.subresource,
            group: sub.responseKind.group || (sub.responseKind.version === version ? group : ''),
            version: sub.responseKind.version || version,
            kind: sub.responseKind.kind,
            verbs: sub.verbs,
          })),
        }),
  };
}

// TypeScript: one module of interfaces a group and version, and one module of handles.
const moduleOf = (name: string): string => name.slice(0, name.lastIndexOf('.')).replaceAll('.', '_');
const interfaceOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
const machineryTypes = new Set([
  'ObjectMeta',
  'ListMeta',
  'OwnerReference',
  'ManagedFieldsEntry',
  'LabelSelector',
  'LabelSelectorRequirement',
  'Condition',
]);

function typescriptOf(type: string, here: string, imports: Set<string>): string {
  if (type.startsWith('[]')) return `readonly ${parenthesised(typescriptOf(type.slice(2), here, imports))}[]`;
  if (type.startsWith('{}')) return `Readonly<Record<string, ${typescriptOf(type.slice(2), here, imports)}>>`;
  switch (type) {
    case 'string':
    case 'bytes':
    case 'time':
    case 'microTime':
    case 'quantity':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'int32':
    case 'int64':
    case 'double':
      return 'number';
    case 'intOrString':
      return 'number | string';
  }
  if (type.startsWith('any:')) {
    imports.add('json');
    return type === 'any:apiextensions.v1.JSON' ? 'Json' : 'JsonObject';
  }
  const module = moduleOf(type);
  if (module === 'meta_v1' && machineryTypes.has(interfaceOf(type))) {
    imports.add('meta');
    return `meta.${interfaceOf(type)}`;
  }
  if (module === here) return interfaceOf(type);
  imports.add(module);
  return `${module}.${interfaceOf(type)}`;
}

const parenthesised = (type: string): string =>
  type.includes(' | ') || type.startsWith('readonly ') ? `(${type})` : type;
const served = new Set(resources.map((row) => row.object));
const modules = new Map<string, string[]>();
const moduleImports = new Map<string, Set<string>>();
for (const [longName] of Object.entries(definitions)) {
  const name = shorten(longName);
  const row = structure[name];
  if (row === undefined) continue;
  const module = moduleOf(name);
  const imports = moduleImports.get(module) ?? new Set();
  moduleImports.set(module, imports);
  const lines = Object.entries(row.f).map(([field, [type, , flags]]) => {
    const always = flags?.r === 1 || (served.has(name) && (field === 'metadata' || field === 'spec'));
    const property = /^[A-Za-z_$][\w$]*$/.test(field) ? field : `'${field}'`;
    return `  readonly ${property}${always ? '' : '?'}: ${typescriptOf(type, module, imports)};`;
  });
  const list = modules.get(module) ?? [];
  modules.set(module, list);
  list.push(`export interface ${interfaceOf(name)} {\n${lines.join('\n')}\n}`);
}

const banner = '// Generated by tools/generate-kinds.ts from the published v1.36 interface. Do not edit.\n';
mkdirSync(join(target, 'types'), { recursive: true });
for (const [module, interfaces] of modules) {
  const imports = [...moduleImports.get(module)!].sort().map((name) => {
    if (name === 'json') return `import type { Json, JsonObject } from '#machinery/meta.ts';`;
    if (name === 'meta') return `import type * as meta from '#machinery/meta.ts';`;
    return `import type * as ${name} from './${name}.ts';`;
  });
  writeFileSync(
    join(target, 'types', `${module}.ts`),
    `${banner}${imports.join('\n')}\n\n${interfaces.join('\n\n')}\n`,
  );
}

// The preferred version of a kind keeps its plain name; the others carry their group or version: EventV1, ResourceClaimV1beta1.
const taken = new Set<string>();
const handles: string[] = [];
const handleModules = new Set<string>();
const plain = new Set<string>();
for (const row of resources) {
  if (plain.has(`${row.group}/${row.version}/${row.kind}`)) continue;
  plain.add(`${row.group}/${row.version}/${row.kind}`);
  let name = row.kind;
  if (taken.has(name)) name = `${row.kind}${row.version[0]!.toUpperCase()}${row.version.slice(1)}`;
  if (taken.has(name)) fail(`two handles named ${name}`);
  taken.add(name);
  const module = moduleOf(row.object);
  handleModules.add(module);
  handles.push(
    `export const ${name}: Kind<${module}.${interfaceOf(row.object)}> = { group: '${row.group}', version: '${row.version}', kind: '${row.kind}', resource: '${row.resource}', namespaced: ${row.namespaced} };`,
  );
}
writeFileSync(
  join(target, 'handles.ts'),
  `${banner}import type { Kind } from '../kind.ts';\n${[...handleModules]
    .sort()
    .map((module) => `import type * as ${module} from './types/${module}.ts';`)
    .join('\n')}\n\n${handles.join('\n')}\n`,
);
const lines = (entries: [string, unknown][]): string =>
  `{\n${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',\n')}\n}\n`;
writeFileSync(
  join(target, 'structure.json'),
  lines(Object.entries(structure).sort(([left], [right]) => (left < right ? -1 : 1))),
);
writeFileSync(join(target, 'resources.json'), `[\n${resources.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`);
writeFileSync(join(target, 'columns.json'), lines(Object.entries(read<Record<string, unknown>>('table-columns.json'))));
process.stdout.write(`${Object.keys(structure).length} types, ${resources.length} resources\n`);
