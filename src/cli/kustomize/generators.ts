import { basename } from 'node:path';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';
import { contentHash } from '../manifests/content-hash.ts';
import type { GeneratorArguments, GeneratorOptions, KeyValueSources } from './kustomization.ts';
import { type Loader, loadFile } from './loader.ts';
import { type Behavior, nameOf, type Resource, remembered, renamed, resourceOf } from './resource.ts';

/** The ConfigMap or Secret that an entry of a generator describes. Throws CliError. */
export function generate(
  loader: Loader,
  kind: 'ConfigMap' | 'Secret',
  entry: GeneratorArguments,
  shared: GeneratorOptions | undefined,
): Resource {
  const { name = '', namespace } = entry;
  if (name === '') throw new CliError('a configmap must have a name');
  const { labels, annotations, immutable, disableNameSuffixHash } = merged(entry.options, shared);
  const data = dataOf(loader, name, entry);
  const object: JsonObject = {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...(kind === 'ConfigMap' ? configMapData(data) : secretData(data, entry.type)),
    ...(immutable ? { immutable } : {}),
  };
  return { ...resourceOf(object), needsHash: !disableNameSuffixHash, behavior: behaviorOf(entry.behavior) };
}

function behaviorOf(text: string | undefined): Behavior {
  return text === 'merge' || text === 'replace' ? text : 'create';
}

function merged(own: GeneratorOptions = {}, shared: GeneratorOptions = {}): GeneratorOptions {
  const both = (key: 'labels' | 'annotations') =>
    own[key] === undefined && shared[key] === undefined ? {} : { [key]: { ...shared[key], ...own[key] } };
  return {
    ...both('labels'),
    ...both('annotations'),
    disableNameSuffixHash: own.disableNameSuffixHash === true || shared.disableNameSuffixHash === true,
    immutable: own.immutable === true || shared.immutable === true,
  };
}

function configMapData(data: ReadonlyMap<string, Buffer>): JsonObject {
  const texts: Record<string, string> = {};
  const bytes: Record<string, string> = {};
  for (const [key, value] of data) {
    const text = value.toString('utf8');
    if (Buffer.from(text).equals(value)) texts[key] = text;
    else bytes[key] = wrappedBase64(value);
  }
  return {
    ...(Object.keys(texts).length === 0 ? {} : { data: texts }),
    ...(Object.keys(bytes).length === 0 ? {} : { binaryData: bytes }),
  };
}

function secretData(data: ReadonlyMap<string, Buffer>, type: string = 'Opaque'): JsonObject {
  const encoded = Object.fromEntries([...data].map(([key, value]) => [key, wrappedBase64(value)]));
  return { type: type === '' ? 'Opaque' : type, ...(data.size === 0 ? {} : { data: encoded }) };
}

const base64LineLength = 70;

/** Longer values stand on lines of their own, each of them ended. */
function wrappedBase64(value: Buffer): string {
  const text = value.toString('base64');
  return text.length < base64LineLength ? text : text.replace(/.{1,70}/g, '$&\n');
}

const keyPattern = /^[-._a-zA-Z0-9]+$/;

function dataOf(loader: Loader, name: string, sources: KeyValueSources): ReadonlyMap<string, Buffer> {
  const { literals = [], files = [], envs = [], env } = sources;
  const allEnvs = [...envs, ...(env === undefined ? [] : [env])];
  const pairs = [
    ...whileReading('env source files:', allEnvs, () => allEnvs.flatMap((path) => envPairs(loader, path))),
    ...whileReading('literal sources', literals, () => literals.map(literalPair)),
    ...whileReading('file sources:', files, () => files.map((source) => filePair(loader, source))),
  ];
  const data = new Map<string, Buffer>();
  for (const [key, value] of pairs) {
    if (!keyPattern.test(key)) throw new CliError(`${JSON.stringify(key)} is not a valid key name`);
    if (data.has(key)) throw new CliError(`configmap ${name} illegally repeats the key \`${key}\``);
    data.set(key, value);
  }
  return data;
}

type Pair = readonly [string, Buffer];

function whileReading(what: string, sources: readonly string[], read: () => readonly Pair[]): readonly Pair[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`loading KV pairs: ${what} [${sources.join(' ')}]: ${error.message}`);
  }
}

function literalPair(source: string): Pair {
  const equals = source.indexOf('=');
  if (equals <= 0) throw new CliError(`invalid literal source ${source}, expected key=value`);
  const quoted = /^(["'])([\s\S]*)\1$/.exec(source.slice(equals + 1));
  return [source.slice(0, equals), Buffer.from(quoted?.[2] ?? source.slice(equals + 1))];
}

function filePair(loader: Loader, source: string): Pair {
  const [key = '', path, ...more] = source.split('=');
  if (path === undefined) return [basename(source), loadFile(loader, source)];
  if (more.length > 0) throw new CliError(`source ${JSON.stringify(source)} key name or file path contains '='`);
  if (key === '') {
    throw new CliError(`missing key name for file path ${JSON.stringify(path)} in source ${JSON.stringify(source)}`);
  }
  if (path === '') {
    throw new CliError(`missing file path for key name ${JSON.stringify(key)} in source ${JSON.stringify(source)}`);
  }
  return [key, loadFile(loader, path)];
}

/** A key alone is an empty value: a build takes nothing from its environment. */
function envPairs(loader: Loader, path: string): readonly Pair[] {
  const text = loadFile(loader, path)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  return text.split(/\r?\n/).flatMap((line): readonly Pair[] => {
    const pair = line.trimStart();
    if (pair === '' || pair.startsWith('#')) return [];
    const equals = pair.indexOf('=');
    return [equals < 0 ? [pair, Buffer.alloc(0)] : [pair.slice(0, equals), Buffer.from(pair.slice(equals + 1))]];
  });
}

/** The resource with the hash of what it holds behind its name. Kustomize means to hash the name too, but does not find it. */
export function withContentHash(resource: Resource): Resource {
  const { kind, data = '', binaryData, stringData, type = '' } = resource.object;
  const content: Record<string, Json | undefined> =
    kind === 'ConfigMap' ? { kind, name: '', data, binaryData } : { kind, name: '', type, data, stringData };
  return renamed(remembered(resource), `${nameOf(resource)}-${contentHash(content as JsonObject)}`);
}
