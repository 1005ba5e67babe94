/**
 * Reads upstream's Go declarations and keeps what its messages show of them: the Go types of published fields
 * (`go-fields.json`, for generate-kinds.ts), and the server's own structs that validation prints in full
 * (src/kinds/generated/go-structs.json). Nothing but names, types and order.
 * Usage: node tools/read-go-structs.ts FOLDER, where the modules of one release lie as `kubernetes`, `api`,
 * `apimachinery`, `apiextensions-apiserver` and `kube-aggregator`, each perhaps with `@version` behind it.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface GoField {
  readonly name: string;
  readonly type: string;
  readonly json: string | undefined;
  readonly embedded: boolean;
}
interface GoPackage {
  readonly structs: Map<string, readonly GoField[]>;
  /** `type Name underlying`. */
  readonly named: Map<string, string>;
}

const root = process.argv[2];
if (root === undefined) throw new Error('usage: node tools/read-go-structs.ts FOLDER');
const modules = readdirSync(root);
const moduleFolder = (name: string): string => {
  const found = modules.filter(
    (entry) => entry === name || entry.startsWith(`${name}@v0.36`) || entry.startsWith(`${name}@v1.36`),
  );
  if (found.length !== 1) throw new Error(`${found.length} folders for ${name}`);
  return join(root, found[0]!);
};

const packages = new Map<string, GoPackage>();
const folders: Readonly<Record<string, string>> = {
  'k8s.io/api': moduleFolder('api'),
  'k8s.io/apimachinery': moduleFolder('apimachinery'),
  'k8s.io/kubernetes': moduleFolder('kubernetes'),
  'k8s.io/apiextensions-apiserver': moduleFolder('apiextensions-apiserver'),
  'k8s.io/kube-aggregator': moduleFolder('kube-aggregator'),
};

/** The declarations of one package, by import path; undefined where it is not one of ours. */
function packageAt(path: string): GoPackage | undefined {
  const known = packages.get(path);
  if (known !== undefined) return known;
  const module = Object.keys(folders).find((name) => path.startsWith(`${name}/`));
  if (module === undefined) return undefined;
  const folder = join(folders[module]!, path.slice(module.length + 1));
  const result: GoPackage = { structs: new Map(), named: new Map() };
  packages.set(path, result);
  for (const file of readdirSync(folder)) {
    if (
      !file.endsWith('.go') ||
      file.endsWith('_test.go') ||
      file.startsWith('zz_generated') ||
      file === 'generated.pb.go'
    )
      continue;
    readFile(readFileSync(join(folder, file), 'utf8'), path, result);
  }
  return result;
}

function readFile(text: string, path: string, into: GoPackage): void {
  const imports = new Map<string, string>();
  for (const [, alias, imported] of text.matchAll(/^(?:import)?\s+(?:([\w.]+)\s+)?"([^"]+)"$/gm))
    imports.set(alias ?? imported!.slice(imported!.lastIndexOf('/') + 1), imported!);
  const plain = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^(.*?)\/\/.*$/gm, (line, before: string) =>
      before.includes('`') && !/`[^`]*`/.test(before) ? line : before,
    );
  for (const [, name, body] of plain.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
    into.structs.set(
      name!,
      body!.split('\n').flatMap((line) => fieldOf(line, path, imports)),
    );
  for (const [, name, type] of plain.matchAll(/^type (\w+)\s+(?!struct|interface|func|=)([\w.*[\]]+)$/gm))
    if (!into.named.has(name!)) into.named.set(name!, qualified(type!, path, imports));
}

function fieldOf(line: string, path: string, imports: ReadonlyMap<string, string>): readonly GoField[] {
  const match = /^\s+(?:(\w+)\s+)?([\w.*[\]]+)\s*(?:`([^`]*)`)?\s*$/.exec(line);
  if (match === null) return [];
  const [, name, type, tags = ''] = match;
  const json = /json:"([^"]*)"/.exec(tags)?.[1];
  const own = type!.replace(/^\*/, '');
  const embedded = name === undefined;
  return [{ name: name ?? own.slice(own.lastIndexOf('.') + 1), type: qualified(type!, path, imports), json, embedded }];
}

const basic = /^(string|bool|int|int32|int64|uint|uint8|uint16|uint32|uint64|byte|float32|float64|any|error)$/;

/** Type text in which every name is `path#Name`. */
function qualified(type: string, path: string, imports: ReadonlyMap<string, string>): string {
  const map = /^map\[([\w.]+)\](.+)$/.exec(type);
  if (map !== null) return `map[${qualified(map[1]!, path, imports)}]${qualified(map[2]!, path, imports)}`;
  const prefix = /^(\*|\[\d*\])/.exec(type)?.[0];
  if (prefix !== undefined) return prefix + qualified(type.slice(prefix.length), path, imports);
  if (basic.test(type)) return type === 'byte' ? 'uint8' : type;
  const dot = type.indexOf('.');
  return dot < 0
    ? `${path}#${type}`
    : `${imports.get(type.slice(0, dot)) ?? type.slice(0, dot)}#${type.slice(dot + 1)}`;
}

/** `k8s.io/api/core/v1#Pod` is `v1.Pod` where Go prints it. */
const printed = (type: string): string => type.replace(/[\w./-]+\/([\w-]+)#(\w+)/g, '$1.$2');

function structOf(type: string): readonly GoField[] | undefined {
  const [path, name] = type.split('#');
  return name === undefined ? undefined : packageAt(path!)?.structs.get(name);
}

/** Published fields whose Go type has a name of its own or which stand in an embedded struct. */
function publishedFields(): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {};
  const paths = [
    ...versionsIn('k8s.io/api'),
    'k8s.io/apimachinery/pkg/apis/meta/v1',
    'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1',
    'k8s.io/kube-aggregator/pkg/apis/apiregistration/v1',
  ];
  for (const path of paths) {
    const [group, version] = path.split('/').slice(-2);
    for (const [name, fields] of packageAt(path)!.structs) {
      const rows: Record<string, string> = {};
      addFields(fields, '', rows);
      if (Object.keys(rows).length > 0) result[`${group}.${version}.${name}`] = rows;
    }
  }
  return result;
}

/** Each row: names of the embedded structs around the field, with dots, then its type. */
function addFields(fields: readonly GoField[], around: string, rows: Record<string, string>): void {
  for (const { name, type, json, embedded } of fields) {
    const jsonName = json?.split(',')[0] ?? '';
    if (embedded && jsonName === '') {
      if (name !== 'TypeMeta') addFields(structOf(type.replace(/^\*/, '')) ?? [], `${around}${name}.`, rows);
    } else if (jsonName !== '' && jsonName !== '-') {
      const text = printed(type).replace(/^\*/, '');
      const isPlain = /^(string|bool|int32|int64|float64|\[\]string|map\[string\]string)$/.test(text);
      if (!isPlain || around !== '') rows[jsonName] = `${around}|${text}`;
    }
  }
}

function versionsIn(module: string): readonly string[] {
  const folder = folders[module]!;
  const isFolder = (path: string): boolean => statSync(path).isDirectory();
  return readdirSync(folder)
    .filter((group) => isFolder(join(folder, group)) && !/^(testdata|apitesting|roundtrip)/.test(group))
    .flatMap((group) =>
      readdirSync(join(folder, group))
        .filter((version) => /^v\d/.test(version) && isFolder(join(folder, group, version)))
        .map((version) => `${module}/${group}/${version}`),
    );
}

/** What validation prints in full, with everything inside. */
const printedStructs = [
  'apps#DaemonSetUpdateStrategy',
  'apps#DeploymentStrategy',
  'apps#StatefulSetUpdateStrategy',
  'batch#PodFailurePolicy',
  'batch#SuccessPolicy',
  'core#PodSpec',
  'core#PodTemplateSpec',
  'core#ServicePort',
  'core#PersistentVolumeClaimSpec',
  'core#PersistentVolumeSource',
  'core#VolumeNodeAffinity',
  'core#Taint',
  'core#PodIP',
  'core#HostIP',
  'core#ScopeSelector',
  'core#TopologySelectorTerm',
  'authorization#NonResourceAttributes',
  'authorization#ResourceAttributes',
  'policy#PodDisruptionBudgetSpec',
  'storage#VolumeAttachmentSpec',
  'storage#CSINodeDriver',
  'rbac#RoleRef',
  'flowcontrol#FlowDistinguisherMethod',
  'resource#DeviceAttribute',
  'resource#ResourceClaimSpec',
  'resource#ResourceClaimTemplateSpec',
  'resource#AllocationResult',
  'resource#AllocatedDeviceStatus',
  'resource#ResourcePool',
  'resource#Device',
];

/** Scalars that write themselves in a form of their own. */
const ownForm = new Set([
  'k8s.io/apimachinery/pkg/api/resource#Quantity',
  'k8s.io/apimachinery/pkg/apis/meta/v1#Time',
  'k8s.io/apimachinery/pkg/apis/meta/v1#MicroTime',
  'k8s.io/apimachinery/pkg/apis/meta/v1#Duration',
  'k8s.io/apimachinery/pkg/util/intstr#IntOrString',
  'k8s.io/apimachinery/pkg/runtime#RawExtension',
  'k8s.io/apimachinery/pkg/apis/meta/v1#FieldsV1',
]);

/** Each struct: its fields in order, `GoName:type` or `GoName:type:json tag`. */
function printedTable(): Record<string, readonly string[]> {
  const result: Record<string, readonly string[]> = {};
  const shortName = (type: string): string => type.replace(/[\w./-]+\/([\w-]+)#(\w+)/g, '$1.$2');
  const visit = (type: string): string => {
    const prefix = /^(\*|\[\]|map\[[^\]]*\])/.exec(type)?.[0];
    if (prefix !== undefined) return (prefix.startsWith('map') ? '{}' : prefix) + visit(type.slice(prefix.length));
    if (ownForm.has(type)) return type.slice(type.indexOf('#') + 1);
    const [path, name] = type.split('#');
    if (name === undefined) return type;
    const fields = structOf(type);
    if (fields === undefined) return visit(packageAt(path!)?.named.get(name) ?? 'string');
    const key = shortName(type);
    if (result[key] === undefined) {
      result[key] = [];
      result[key] = flattened(fields).map(({ name: field, type: inner, json }) =>
        json === undefined ? `${field}:${visit(inner)}` : `${field}:${visit(inner)}:${json}`,
      );
    }
    return key;
  };
  visit('k8s.io/apimachinery/pkg/apis/meta/v1#ObjectMeta');
  for (const name of printedStructs) {
    const [group, type] = name.split('#');
    visit(`k8s.io/kubernetes/pkg/apis/${group}#${type}`);
  }
  return result;
}

function flattened(fields: readonly GoField[]): readonly GoField[] {
  return fields.flatMap((field) =>
    field.embedded && (field.json?.split(',')[0] ?? '') === '' ? flattened(structOf(field.type) ?? []) : [field],
  );
}

const lines = (table: Readonly<Record<string, unknown>>): string =>
  `{\n${Object.keys(table)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(table[key])}`)
    .join(',\n')}\n}\n`;
writeFileSync(join(import.meta.dirname, 'go-fields.json'), lines(publishedFields()));
writeFileSync(join(import.meta.dirname, '../src/kinds/generated/go-structs.json'), lines(printedTable()));
