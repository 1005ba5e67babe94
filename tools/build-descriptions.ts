/**
 * Gathers what types and fields are for into one file that the server reads for its OpenAPI documents. The words come
 * from the comments of two development dependencies: `kubernetes-models` keeps their lines, the official client
 * library has the latest fields. Usage: `node tools/build-descriptions.ts <file>`.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import structure from '../src/kinds/generated/structure.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');
const packages = join(root, 'node_modules');
const models = join(packages, 'kubernetes-models');
const machinery = join(packages, '@kubernetes-models', 'apimachinery');
const client = join(packages, '@kubernetes', 'client-node', 'dist', 'gen', 'models');

/** The comment of a type and those of its fields by name. */
type Described = readonly [string, Readonly<Record<string, string>>];

/** A comment directly before what follows; `(?!\*\/)` keeps it to one. */
const comment = String.raw`\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*`;

/** By type name: `core.v1.Pod`, `meta.v1.ObjectMeta`. */
function gatherDescriptions(): Readonly<Record<string, Described>> {
  const folders = modelFolders();
  const described: Record<string, Described> = {};
  for (const [name, { f: fields }] of Object.entries(structure)) {
    const [group = '', version = '', type = ''] = name.split('.');
    const folder = folders.get(`${group}.${version}`);
    const sources = [
      ...(folder === undefined ? [] : [read(join(folder, `${type}.d.ts`), 'export interface ')]),
      // Where several groups have a name, the library puts the group before it.
      read(join(client, `${capital(group)}${capital(version)}${type}.d.ts`), 'export declare class '),
      read(join(client, `${capital(version)}${type}.d.ts`), 'export declare class '),
    ].filter((source) => source !== undefined);
    const words = Object.keys(fields).map((field) => [field, first(sources.map((source) => source[1][field]))]);
    described[name] = [
      first(sources.map((source) => source[0])),
      Object.fromEntries(words.filter(([, text]) => text !== '')),
    ];
  }
  return described;
}

/** Folders of `kubernetes-models` by the beginning of type names: `rbac.v1` is in `rbac.authorization.k8s.io/v1`. */
function modelFolders(): ReadonlyMap<string, string> {
  const folders = new Map([
    ['core.v1', join(models, 'v1')],
    ['meta.v1', join(machinery, 'apis', 'meta', 'v1')],
  ]);
  for (const resource of JSON.parse(
    readFileSync(join(root, 'src/kinds/generated/resources.json'), 'utf8'),
  ) as readonly {
    readonly group: string;
    readonly version: string;
    readonly object: string;
  }[]) {
    const folder = join(models, resource.group, resource.version);
    const place = resource.object.split('.').slice(0, 2).join('.');
    if (resource.group !== '' && existsSync(folder)) folders.set(place, folder);
  }
  return folders;
}

function read(file: string, declaration: string): Described | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(declaration);
  if (start === -1) return undefined;
  const about = new RegExp(`${comment}$`).exec(text.slice(0, start))?.[1] ?? '';
  const fields: Record<string, string> = {};
  const body = text.slice(start, text.indexOf('\n}', start));
  for (const [, words = '', field = ''] of body.matchAll(new RegExp(`^ {4}${comment}['"]([^'"]+)['"]\\??:`, 'gm')))
    fields[fieldName(field)] = plain(words);
  return [plain(about), fields];
}

/** The client library keeps away from words of the language (`_from`) and from signs (`x_kubernetes_…`). */
function fieldName(name: string): string {
  if (name.startsWith('x_kubernetes_')) return name.replaceAll('_', '-');
  return name.replace(/^_/, '');
}

/** A comment without its frame and escapes. */
function plain(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
  return lines
    .join('\n')
    .replace(/\\(['"])/g, '$1')
    .trim();
}

function first(texts: readonly (string | undefined)[]): string {
  return texts.find((text) => text !== undefined && text !== '') ?? '';
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Writes the table as JSON: a type's name gives its description and those of its fields. */
export function writeDescriptions(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  // Several processes may do this at once: each renames a whole file into place.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(gatherDescriptions()));
  renameSync(draft, file);
}

const [file] = process.argv.slice(2);
if (import.meta.main && file !== undefined) writeDescriptions(file);
