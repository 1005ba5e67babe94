import {
  defineScalarTag,
  loadAll,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  Schema,
  seqTag,
  strTag,
  YAMLException,
} from 'js-yaml';
import type { Json } from './meta.ts';
import { inGoWords } from './yaml/go-words.ts';
import { resolvePlain } from './yaml/resolve.ts';

export { dumpYaml } from './yaml/dump.ts';

/** Text that is no YAML. The message reads as Go's: `yaml: line 3: …`. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

const maximumNesting = 1000;
/** Nodes that aliases may stand for, beyond those in the text: more is a bomb. */
const maximumAliasedNodes = 100_000;

const plainTag = (name: string, accepts: (value: unknown, source: string) => boolean) =>
  defineScalarTag<unknown>(`tag:yaml.org,2002:${name}`, {
    implicit: true,
    resolve(source) {
      const value = resolvePlain(source);
      return value !== undefined && accepts(value, source) ? value : NOT_RESOLVED;
    },
    identify: () => false,
  });

const tags = (isBoolean: (value: unknown, source: string) => boolean) => [
  strTag,
  seqTag,
  mapTag,
  mergeTag,
  plainTag('null', (value) => value === null),
  plainTag('bool', isBoolean),
  plainTag('int', (value) => typeof value === 'bigint' || Number.isInteger(value)),
  plainTag('float', (value) => typeof value === 'number'),
  defineScalarTag<string>('tag:yaml.org,2002:binary', { resolve: (source) => source, identify: () => false }),
  defineScalarTag<string>('tag:yaml.org,2002:timestamp', { resolve: (source) => source, identify: () => false }),
];
const goSchema = new Schema(tags((value) => typeof value === 'boolean'));
const trueAndFalse = new Schema(tags((value, source) => typeof value === 'boolean' && /^(true|false)$/i.test(source)));

/**
 * The documents of a YAML stream as JSON values, read as Go's YAML does: 1.1 booleans and octals, merge keys, times
 * as text, keys always text. Documents with nothing in them are left out. With `booleans` of YAML 1.2 `yes` and `on`
 * are text. Throws YamlError.
 */
export function parseYamlDocuments(
  text: string,
  { booleans = '1.1' }: { readonly booleans?: '1.1' | '1.2' } = {},
): Json[] {
  let documents: unknown[];
  try {
    documents = loadAll(text, { schema: booleans === '1.1' ? goSchema : trueAndFalse, maxDepth: maximumNesting });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark, reason } = error;
    throw new YamlError(`yaml: ${mark === undefined ? reason : inGoWords({ ...mark, reason }, text)}`);
  }
  for (const document of documents) checkAliases(document, text.length);
  return documents.filter((document) => document !== null && document !== undefined) as Json[];
}

/** One document. Throws YamlError; nothing at all is null. */
export function parseYaml(text: string): Json {
  const documents = parseYamlDocuments(text);
  if (documents.length > 1) throw new YamlError('yaml: expected a single document in the stream');
  return documents[0] ?? null;
}

/**
 * The first document, in which a key may stand twice; the last one counts. The first such key is told in Go's words
 * (`line 6: key "k" already set in map`), as the official server warns about it. Throws YamlError.
 */
export function parseLenientYaml(text: string): { readonly value: Json; readonly duplicates: readonly string[] } {
  try {
    return { value: parseYamlDocuments(text)[0] ?? null, duplicates: [] };
  } catch (error) {
    const line = error instanceof YamlError ? Number(/line (\d+): duplicated mapping key/.exec(error.message)?.[1]) : 0;
    if (!line) throw error;
    const written = (text.split('\n')[line - 1] ?? '').trim();
    const key = /^(?:- +)*(["']?)([^:]*?)\1 *:/.exec(written)?.[2] ?? written;
    const value = loadAll(text, { schema: goSchema, maxDepth: maximumNesting, json: true })[0] ?? null;
    checkAliases(value, text.length);
    return { value: value as Json, duplicates: [`line ${line}: key ${JSON.stringify(key)} already set in map`] };
  }
}

/** An alias costs nothing until somebody walks what it stands for: counts that before anybody does. */
function checkAliases(document: unknown, length: number): void {
  const sizes = new Map<object, number>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    sizes.set(value, Number.POSITIVE_INFINITY);
    let size = 1;
    for (const member of Object.values(value)) size += sizeOf(member);
    sizes.set(value, size);
    return size;
  };
  if (sizeOf(document) > length + maximumAliasedNodes) {
    throw new YamlError('yaml: document contains excessive aliasing');
  }
}
