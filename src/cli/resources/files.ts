import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { parseYamlDocuments } from '#machinery/yaml.ts';
import type { CommandContext } from '../context.ts';
import { CliError, ExitError } from '../failures.ts';
import { booleanFlag, listFlag, textFlag } from '../flags.ts';

/** Flags of commands that read manifests. */
export const fileFlags = {
  filename: listFlag('Filename, directory, or URL to files identifying the resource.', { short: 'f' }),
  recursive: booleanFlag(
    'Process the directory used in -f, --filename recursively. Useful when you want to manage related manifests organized within the same directory.',
    { short: 'R' },
  ),
  kustomize: textFlag("Process a kustomization directory. This flag can't be used together with -f or -R.", {
    short: 'k',
  }),
} as const;

/** An object from a file. Lists have been taken apart. */
export interface Manifest {
  readonly object: JsonObject;
  /** The file or URL it stood in; `STDIN` for standard input. */
  readonly source: string;
}

/** Bytes of manifests that one source may hold. */
const maximumManifestBytes = 64 * 1024 * 1024;
const extensions = ['.json', '.yaml', '.yml'];

/** Reads every object that `-f` names, in order. Throws CliError. */
export async function readManifests(
  context: CommandContext,
  options: {
    readonly filename: readonly string[];
    readonly recursive: boolean;
    readonly kustomize?: string | undefined;
  },
): Promise<readonly Manifest[]> {
  if ((options.kustomize ?? '') !== '') return readKustomized(context, options.kustomize!, options);
  const manifests: Manifest[] = [];
  for (const name of options.filename) {
    for (const { source, text } of await sources(context, name, options))
      manifests.push(...parseManifests(text, source));
  }
  return manifests;
}

async function readKustomized(
  context: CommandContext,
  folder: string,
  { filename, recursive }: { readonly filename: readonly string[]; readonly recursive: boolean },
): Promise<readonly Manifest[]> {
  if (filename.length > 0) throw new CliError('only one of -f or -k can be specified');
  if (recursive) throw new CliError("the -k flag can't be used with -f or -R");
  const { buildKustomization } = await import('../kustomize/build.ts');
  return buildKustomization(folder, { warn: context.err }).map((object) => ({ object, source: folder }));
}

interface Source {
  readonly source: string;
  readonly text: string;
}

async function sources(
  context: CommandContext,
  name: string,
  { recursive }: { readonly recursive: boolean },
): Promise<readonly Source[]> {
  if (name === '-') return [{ source: 'STDIN', text: await readStandardInput(context) }];
  if (/^https?:\/\//.test(name)) return [{ source: name, text: await download(context, name) }];
  return filesAt(name, recursive).map((path) => ({ source: path, text: readFileSync(path, 'utf8') }));
}

/** All of standard input as text. */
async function readStandardInput({ io }: CommandContext): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of io.stdin)
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

async function download(context: CommandContext, url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { signal: context.signal });
  } catch (error) {
    const { cause } = error as { readonly cause?: Error & { readonly code?: string } };
    if (cause?.code !== 'ECONNREFUSED')
      throw new CliError(`unable to read URL "${url}": ${(cause ?? (error as Error)).message}`);
    const { host } = new URL(url);
    throw new ExitError(
      1,
      `The connection to the server ${host} was refused - did you specify the right host or port?`,
    );
  }
  if (!response.ok) {
    throw new CliError(
      `unable to read URL "${url}", server reported ${response.status} ${response.statusText}, status code=${response.status}`,
    );
  }
  const text = await response.text();
  if (text.length > maximumManifestBytes) throw new CliError(`${url} is larger than ${maximumManifestBytes} bytes`);
  return text;
}

function filesAt(path: string, recursive: boolean): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new CliError(`the path "${path}" does not exist`);
  if (!stat.isDirectory()) return [path];
  const found = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return found.flatMap((entry) => {
    const child = join(path, entry.name);
    if (entry.isDirectory()) return recursive ? filesAt(child, recursive) : [];
    return extensions.includes(extname(entry.name)) ? [child] : [];
  });
}

/** The objects in a text of YAML documents or JSON. Throws CliError, naming the source. */
export function parseManifests(text: string, source: string): readonly Manifest[] {
  let documents: readonly Json[];
  try {
    documents = parseYamlDocuments(text);
  } catch (error) {
    throw new CliError(`error parsing ${source}: error converting YAML to JSON: ${(error as Error).message}`);
  }
  return documents.flatMap((document) => flatten(document, source));
}

function flatten(document: Json, source: string): readonly Manifest[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new CliError(
      `error parsing ${source}: json: cannot unmarshal ${Array.isArray(document) ? 'array' : typeof document} into Go value of type map[string]interface {}`,
    );
  }
  const object = document as JsonObject;
  const { kind, apiVersion, items } = object as { kind?: string; apiVersion?: string; items?: readonly Json[] };
  if (typeof kind !== 'string' || kind === '') {
    throw new CliError(
      `error when retrieving current configuration from ${source}: Object 'Kind' is missing in '${JSON.stringify(object)}'`,
    );
  }
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw new CliError(`unable to decode "${source}": Object 'apiVersion' is missing in '${JSON.stringify(object)}'`);
  }
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => flatten(item, source));
  return [{ object, source }];
}

/** Labels and annotations are text: `a: yes` and `a: 1` are not. Throws CliError. */
export function checkTexts({ object: { metadata }, source }: Manifest): void {
  for (const field of ['labels', 'annotations']) {
    const pairs = (metadata as JsonObject | null | undefined)?.[field];
    if (typeof pairs !== 'object' || pairs === null || Array.isArray(pairs)) continue;
    const wrong = Object.values(pairs as JsonObject).find((value) => typeof value !== 'string' && value !== null);
    if (wrong === undefined) continue;
    const found = Array.isArray(wrong) ? 'array' : typeof wrong === 'boolean' ? 'bool' : typeof wrong;
    throw new CliError(
      `unable to decode "${source}": json: cannot unmarshal ${found.replace('bigint', 'number')} into Go struct field ObjectMeta.metadata.${field} of type string`,
    );
  }
}
