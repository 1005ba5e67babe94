/**
 * Writes src/kinds/generated from the published v1.36 interface (a folder with swagger.json, protobuf-fields.json,
 * discovery-*.json and table-columns.json). Usage: node tools/generate-kinds.ts FOLDER
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
const protobuf = read<Record<string, Record<string, ProtobufField>>>('protobuf-fields.json');

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
type FieldRow = [
  type: string,
  number: number,
  flags?: { r?: 1; l?: string; k?: string[]; p?: string; m?: string; a?: 1 },
];
const structure: Record<string, { f: Record<string, FieldRow>; a?: 1 }> = {};
const protobufByShort = new Map(Object.entries(protobuf).map(([name, fields]) => [shorten(name), fields]));

for (const [longName, definition] of Object.entries(definitions)) {
  const name = shorten(longName);
  if (scalars[name] !== undefined) continue;
  const numbers = protobufByShort.get(name) ?? {};
  const rows: Record<string, FieldRow> = {};
  for (const property of Object.keys(definition.properties ?? {}).sort()) {
    const value = definition.properties![property]!;
    const flags: NonNullable<FieldRow[2]> = {};
    if (definition.required?.includes(property)) flags.r = 1;
    const listType = value['x-kubernetes-list-type'];
    if (listType !== undefined && listType !== 'atomic') flags.l = listType;
    if (value['x-kubernetes-list-map-keys'] !== undefined) flags.k = value['x-kubernetes-list-map-keys'];
    if (value['x-kubernetes-patch-strategy'] !== undefined) flags.p = value['x-kubernetes-patch-strategy'];
    if (value['x-kubernetes-patch-merge-key'] !== undefined) flags.m = value['x-kubernetes-patch-merge-key'];
    if (value['x-kubernetes-map-type'] === 'atomic') flags.a = 1;
    const row: FieldRow = [typeOf(value), numbers[property]?.[0] ?? 0];
    if (Object.keys(flags).length > 0) row.push(flags);
    rows[property] = row;
  }
  structure[name] = definition['x-kubernetes-map-type'] === 'atomic' ? { f: rows, a: 1 } : { f: rows };
}
addOlderMessages();

/** Versions that the server no longer serves, but whose objects still decode: structure from the protobuf interface alone. */
function addOlderMessages(): void {
  for (const [name, fields] of protobufByShort) {
    if (structure[name] !== undefined || scalars[name] !== undefined) continue;
    const prefix = name.slice(0, name.lastIndexOf('.'));
    const rows: Record<string, FieldRow> = {};
    for (const field of Object.keys(fields).sort()) {
      const [number, type, label] = fields[field]!;
      rows[field] = [olderType(prefix, type, label), number];
    }
    structure[name] = { f: rows };
  }
}

function olderType(prefix: string, type: string, label: string): string {
  if (label === 'repeated') return `[]${olderType(prefix, type, '')}`;
  const map = /^map<string, ?(.+)>$/.exec(type);
  if (map !== null) return `{}${olderType(prefix, map[1]!, '')}`;
  if (type === 'bool') return 'boolean';
  if (['string', 'int32', 'int64', 'double', 'bytes'].includes(type)) return type;
  const short = shorten(type);
  if (scalars[short] !== undefined) return scalars[short];
  const local = `${prefix}.${type}`;
  return scalars[local] ?? (protobufByShort.has(local) ? local : short);
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
