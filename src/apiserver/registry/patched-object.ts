import { type ConformResult, conform, DecodeError } from '#machinery/conform.ts';
import { type ApiError, badRequest, fieldError, invalid } from '#machinery/errors.ts';
import { type OddMember, stringifyJson, unknownMembers } from '#machinery/json.ts';
import {
  type ApiObject,
  apiVersionOf,
  type Json,
  type JsonObject,
  type Mutable,
  parseApiVersion,
} from '#machinery/meta.ts';
import { oddIn, repeatedKeys } from '#machinery/patch/repeated-keys.ts';
import { withEmptied } from '#machinery/sent-empty.ts';
import { typeProblem } from '#machinery/type-problem.ts';
import { conformUnstructured } from '#machinery/unstructured.ts';
import { converterBetween } from '../resources/conversion.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { Operation } from './operation.ts';
import type { Registry } from './registry.ts';
import { copyOf } from './sent.ts';

/**
 * What a patch makes must still be an object of its kind; unknown fields are reported as the client asked.
 * @throws ApiError 422 with the whole document.
 */
export function patchedObject(
  registry: Registry,
  operation: Operation,
  document: JsonObject,
  current: ApiObject,
): Mutable<ApiObject> {
  const { options, warn } = operation;
  const known = current as unknown as JsonObject;
  const { value, unknown } = decoded(registry, operation, document, known);
  const odd = oddInPatched(operation, document, unknown);
  const fields = odd.map(({ what, path }) => `${what} field ${JSON.stringify(path)}`);
  const problems = [...(options.patchProblems ?? []), ...fields];
  if (problems.length > 0 && options.fieldValidation === 'Strict')
    throw unfit(document, `strict decoding error: ${problems.join(', ')}`);
  if (options.fieldValidation !== 'Ignore') for (const text of problems) warn(text);
  // The patched document shares what did not change with the cached object, which nobody may touch.
  return copyOf(operation, value as unknown as ApiObject, current);
}

/** Told as they come where a text is decoded, and sorted where values are. */
function oddInPatched(
  { resource, body, options: { patchType, patchRepeats } }: Operation,
  document: JsonObject,
  unknown: readonly string[],
): readonly OddMember[] {
  if (patchType === 'strategic') return unknownMembers(unknown.toSorted(byText));
  const isOrdered = unknown.length > 1 && (patchType === 'json' || patchType === 'merge');
  if (patchRepeats === undefined && !isOrdered) return unknownMembers(unknown);
  const asSent = patchRepeats ?? repeatedKeys(patchType === 'json' ? (body as Json) : null, []);
  if (resource.custom === undefined) return oddIn(document, asSent, resource.schema, unknown);
  return [...oddIn(document, asSent, { type: 'any', message: '' }, []), ...unknownMembers(unknown)];
}

const byText = (left: string, right: string): number => (`${left}"` < `${right}"` ? -1 : 1);

function decoded(registry: Registry, operation: Operation, document: JsonObject, known: JsonObject): ConformResult {
  const { resource, options, emptied } = operation;
  try {
    if (resource.custom !== undefined) {
      checkTyped(document);
      return resource.custom.conform(document);
    }
    // A strategic patch is made of values; the others make a text that says itself what it is.
    if (options.patchType !== 'strategic') return decodedAsText(registry, operation, document, known);
    return ofKind(resource, conformUnstructured(document, resource.schema, { emptied, known, leavesKeysOut: true }));
  } catch (error) {
    throw error instanceof DecodeError ? unfit(document, error.message) : error;
  }
}

function decodedAsText(
  registry: Registry,
  operation: Operation,
  document: JsonObject,
  known: JsonObject,
): ConformResult {
  const { resource, name } = operation;
  const { kind, apiVersion } = document;
  const own = resource.kind;
  if (kind === own.kind && apiVersion === apiVersionOf(own)) return decodedOwn(operation, document, known);
  const named = otherKind(registry, own.kind, document);
  if (named === 'unnamed')
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (named.kind === own) return ofKind(resource, conform(document, resource.schema, operation));
  const { value, unknown } = conform(document, named.schema);
  if (named.storage === undefined || named.storage !== resource.storage) {
    const goPackage = own.group === '' ? 'core' : own.group.split('.')[0];
    throw new DecodeError(
      `converting (${named.kind.version}.${named.kind.kind}) to (${goPackage}.${own.kind}): unknown conversion`,
    );
  }
  const converted = converterBetween(named.kind, own)(value as unknown as ApiObject);
  return { value: converted as unknown as Json, unknown };
}

/**
 * A merged document is written anew, with its members in order, and one that operations changed wherever they came
 * through: that decides which mistake is met first.
 */
function decodedOwn(operation: Operation, document: JsonObject, known: JsonObject): ConformResult {
  const { schema } = operation.resource;
  try {
    return conform(document, schema, { emptied: operation.emptied, known });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { patchType } = operation.options;
    if (patchType === 'merge') return conform(inOrder(document), schema, operation);
    if (patchType === 'json') return conform(inOrderAlong(document, operation.body as Json), schema, operation);
    throw error;
  }
}

function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => inOrder(item));
  if (typeof value !== 'object' || value === null) return value;
  return sorted(value as JsonObject, inOrder);
}

/** With the members in order of every object that operations came through on their way. */
function inOrderAlong(document: JsonObject, operations: Json): Json {
  const touched = new Set<string>();
  for (const { op, path, from } of operations as readonly Readonly<Record<string, Json | undefined>>[]) {
    if (op !== 'test')
      for (const known of touched) if (`${known}/`.startsWith(`${String(path)}/`)) touched.delete(known);
    for (const pointer of [path, from])
      for (let at = lastSlash(pointer); at > 0; at = (pointer as string).lastIndexOf('/', at - 1))
        touched.add((pointer as string).slice(0, at));
  }
  const along = (value: Json, at: string): Json => {
    if (typeof value !== 'object' || value === null || (at !== '' && !touched.has(at))) return value;
    if (Array.isArray(value)) return value.map((item: Json, index) => along(item, `${at}/${index}`));
    return sorted(value as JsonObject, (member, name) => along(member, `${at}/${escaped(name)}`));
  };
  return along(document, '');
}

const lastSlash = (pointer: Json | undefined): number => (typeof pointer === 'string' ? pointer.lastIndexOf('/') : -1);
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

function sorted(object: JsonObject, inner = (value: Json, _name: string): Json => value): JsonObject {
  const names = Object.keys(object).sort();
  return Object.fromEntries(names.map((name) => [name, inner(object[name]!, name)])) as JsonObject;
}

/** What kind a document says it is of. One of no version has nothing that anybody knows, not even a name. */
function otherKind(registry: Registry, own: string, document: JsonObject): ServedResource | 'unnamed' {
  const { kind = own, apiVersion } = document;
  checkTyped(document);
  if (apiVersion === undefined || apiVersion === null || apiVersion === '') return 'unnamed';
  const text = apiVersion as string;
  if (text.split('/').length > 2) throw new DecodeError(`unexpected GroupVersion string: ${text}`);
  const name = kind === null || kind === '' ? own : (kind as string);
  const found = registry.resources.forKind({ ...parseApiVersion(text), kind: name });
  if (found !== undefined && found.custom === undefined) return found;
  const where = `version ${JSON.stringify(text)} in scheme "pkg/runtime/scheme.go:111"`;
  throw new DecodeError(`no kind ${JSON.stringify(name)} is registered for ${where}`);
}

/** @throws DecodeError where what a document says of its type is no text. */
function checkTyped(document: JsonObject): void {
  const problem = typeProblem(document);
  if (problem !== undefined) throw new DecodeError(problem);
}

/** Whatever the document says that it is. */
function ofKind({ kind }: ServedResource, { value, unknown }: ConformResult): ConformResult {
  const named = { ...(value as JsonObject), kind: kind.kind, apiVersion: apiVersionOf(kind) };
  return { value: withEmptied(named, value as JsonObject), unknown };
}

function unfit(document: JsonObject, message: string): ApiError {
  return invalid({ group: '', kind: '' }, '', [fieldError.invalid('patch', stringifyJson(document), message)]);
}
