import { schemaNamed } from '#kinds/schemas.ts';
import { decodeCbor } from '#machinery/cbor.ts';
import { ApiError, badRequest } from '#machinery/errors.ts';
import {
  conform,
  type Decoded,
  DecodeError,
  decodeJson,
  duplicateKeys,
  parseJson,
  parseShallowJson,
  unknownMembers,
} from '#machinery/json.ts';
import { type ApiObject, apiVersionOf, type Json, type JsonObject, type Mutable } from '#machinery/meta.ts';
import { unknownInJsonPatch } from '#machinery/patch/json-patch.ts';
import { type RepeatedKeys, repeatedKeys } from '#machinery/patch/repeated-keys.ts';
import { decodeEnvelope, decodeProtobuf } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { type Emptied, withEmptied } from '#machinery/sent-empty.ts';
import { typeProblem, withoutType } from '#machinery/type-problem.ts';
import { parseLenientYaml, YamlError } from '#machinery/yaml.ts';
import type { PatchType } from '../registry/operation.ts';
import type { CustomForm } from '../resources/custom-form.ts';
import type { ServedResource } from '../resources/resource.ts';
import { checkDeclaredKind, scheme, unrecognized } from './declared-kind.ts';
import type { Encoding } from './negotiation.ts';

/** What a body must be: the kind that the path speaks of. */
export interface ExpectedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: ObjectSchema;
  readonly custom?: CustomForm | undefined;
  /** Upstream, which does not know the type at this place, has no words of its own for a body that is none. */
  readonly isUntyped?: boolean;
}

/** Subresources whose body is of another kind than their object. */
const subresourceSchemas: Readonly<Record<string, string>> = {
  'autoscaling/v1/Scale': 'autoscaling.v1.Scale',
  'policy/v1/Eviction': 'policy.v1.Eviction',
  'authentication.k8s.io/v1/TokenRequest': 'authentication.v1.TokenRequest',
  '/v1/Binding': 'core.v1.Binding',
};

/** The kind that a write to a resource or subresource carries. */
export function expectedKind(resource: ServedResource, subresource: string): ExpectedKind {
  const row = resource.subresources.get(subresource);
  const { custom } = resource;
  if (row === undefined || row.kind === resource.kind.kind)
    return { ...resource.kind, schema: resource.schema, custom };
  const name = subresourceSchemas[`${row.group}/${row.version}/${row.kind}`];
  if (name === undefined) return { ...resource.kind, schema: resource.schema };
  const { group, version, kind } = row;
  return { group, version, kind, schema: schemaNamed(name), isUntyped: custom !== undefined };
}

export interface DecodeOptions {
  readonly encoding: Encoding;
  /** `Ignore`, `Warn` or `Strict`. */
  readonly fieldValidation: string;
  readonly warn: (text: string) => void;
  /** Is told where an empty list or map was left out. */
  readonly emptied?: Emptied | undefined;
}

/** The body of a create or update as an object that its reader may change. @throws ApiError 400. */
export function decodeObject(bytes: Uint8Array, expected: ExpectedKind, options: DecodeOptions): Mutable<ApiObject> {
  const { kind } = expected;
  const apiVersion = apiVersionOf(expected);
  try {
    const { value, odd, yamlDuplicates = [] } = decodeAny(bytes, expected, options);
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw new DecodeError(`cannot restore ${kind} from a value that is no object`);
    const object = value as unknown as Mutable<ApiObject>;
    checkDeclaredKind(object as unknown as JsonObject, expected, bytes);
    report(
      [
        ...yamlDuplicates.map((text) =>
          options.fieldValidation === 'Strict' ? `yaml: unmarshal errors:\n  ${text}` : text,
        ),
        ...odd.map(({ what, path }) => `${what} field ${JSON.stringify(path)}`),
      ],
      expected,
      options,
    );
    // What it is comes first: lists leave it out of each item by cutting it off. What a custom one says is judged later.
    const type = { kind: expected.custom === undefined ? kind : (object.kind ?? kind), apiVersion };
    const whole = Object.assign({ ...type }, object, type, { metadata: object.metadata ?? {} });
    return options.emptied?.isAny === true ? withEmptied(whole, object) : whole;
  } catch (error) {
    if (expected.isUntyped === true && (error instanceof ApiError || error instanceof DecodeError))
      throw badRequest(`no kind is registered for the type v1.${kind} in ${scheme}`);
    if (!(error instanceof DecodeError) && !(error instanceof YamlError)) throw error;
    throw refusalOf(bytes, expected, options.encoding, error.message);
  }
}

function decodeAny(
  bytes: Uint8Array,
  { schema, custom }: ExpectedKind,
  { encoding, fieldValidation, emptied }: DecodeOptions,
): Decoded & { readonly yamlDuplicates?: readonly string[] } {
  const conformed = (read: unknown): Decoded => {
    const { value, unknown } = custom?.conform(read as Json) ?? conform(read, schema, { emptied });
    return { value, odd: unknownMembers(unknown) };
  };
  switch (encoding) {
    case 'json':
      return decodeJson(bytes, schema, {
        findDuplicates: fieldValidation !== 'Ignore',
        emptied,
        ...(custom === undefined ? {} : { conform: custom.conform }),
      });
    case 'yaml': {
      const { value, duplicates } = parseLenientYaml(textOf(bytes));
      return { ...conformed(value), yamlDuplicates: duplicates };
    }
    case 'protobuf':
      return { value: decodeProtobuf(bytes, schema), odd: [] };
    case 'cbor':
      // A key that stands twice is no CBOR at all.
      return conformed(decodeCbor(bytes));
  }
}

function report(problems: readonly string[], expected: ExpectedKind, { fieldValidation, warn }: DecodeOptions): void {
  if (problems.length === 0 || fieldValidation === 'Ignore') return;
  if (fieldValidation === 'Strict') {
    throw badRequest(
      `${expected.kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}: strict decoding error: ${problems.join(', ')}`,
    );
  }
  for (const problem of problems) warn(problem);
}

/** Why a body is no object of the kind: first that it is no text of its format, then that it is of another kind. */
function refusalOf(bytes: Uint8Array, expected: ExpectedKind, encoding: Encoding, why: string): ApiError {
  let read: Json;
  try {
    read = readAny(bytes, encoding);
  } catch (error) {
    return unrecognized(expected, bytes, syntaxProblem(error, encoding));
  }
  if (encoding !== 'protobuf') {
    const problem = typeProblem(read);
    if (problem !== undefined) return unrecognized(expected, bytes, problem);
    checkDeclaredKind((read ?? {}) as JsonObject, expected, bytes);
  }
  const { kind, version } = expected;
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}

/** The value that a body tells of; of protobuf, nothing. */
function readAny(bytes: Uint8Array, encoding: Encoding): Json {
  if (encoding === 'json') return parseJson(bytes);
  if (encoding === 'yaml') return parseLenientYaml(textOf(bytes)).value;
  if (encoding === 'cbor') return decodeCbor(bytes) as Json;
  decodeEnvelope(bytes);
  return null;
}

function syntaxProblem(error: unknown, encoding: Encoding): string {
  const { message } = error as Error;
  if (encoding === 'cbor') return `unable to determine group/version/kind: ${message}`;
  return encoding === 'json' ? withoutType(message) : message;
}

/** A patch, and what is odd in it and for the client to hear of with what is odd in the patched object. */
export interface DecodedPatch {
  readonly body: unknown;
  readonly problems: readonly string[];
  /** Values of a JSON patch whose keys stand twice: that is odd in the patched object once more. */
  readonly repeated?: RepeatedKeys | undefined;
}

/** A patch document: JSON, or for apply YAML, whose keys that stand twice are told as the client asked, or CBOR. */
export function decodePatch(bytes: Uint8Array, patchType: PatchType, options: DecodeOptions): DecodedPatch {
  const { encoding, fieldValidation, warn } = options;
  try {
    if (encoding === 'cbor') return { body: decodeCbor(bytes), problems: [] };
    if (encoding !== 'yaml') return jsonPatchDocument(bytes, patchType, fieldValidation !== 'Ignore');
    const { value, duplicates } = parseLenientYaml(textOf(bytes));
    if (duplicates.length > 0 && fieldValidation === 'Strict')
      throw badRequest(
        `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`,
      );
    if (fieldValidation !== 'Ignore') for (const text of duplicates) warn(text);
    return { body: value, problems: [] };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw badRequest(patchPrefix[patchType] + (error instanceof Error ? error.message : String(error)));
  }
}

const patchPrefix: Readonly<Record<PatchType, string>> = {
  json: 'error decoding patch: ',
  merge: 'error decoding patch: ',
  strategic: '',
  apply: 'error decoding YAML: error converting YAML to JSON: ',
};

function jsonPatchDocument(bytes: Uint8Array, patchType: PatchType, looksForProblems: boolean): DecodedPatch {
  const body = parseShallowJson(bytes);
  const unknown = patchType === 'json' ? unknownInJsonPatch(body) : [];
  if (!looksForProblems) return { body, problems: [] };
  const prefix = patchType === 'json' ? 'json patch ' : '';
  const told = (what: string) => (path: string) => `${prefix}${what} field ${JSON.stringify(path)}`;
  const duplicates = duplicateKeys(bytes);
  return {
    body,
    problems: [...duplicates.map(told('duplicate')), ...unknown.map(told('unknown'))],
    repeated: patchType === 'json' && duplicates.length > 0 ? repeatedKeys(body, duplicates) : undefined,
  };
}

/** The body of a DELETE, which may be absent. @throws ApiError 400 */
export function decodeDeleteOptions(bytes: Uint8Array, encoding: Encoding): JsonObject | undefined {
  if (bytes.length === 0) return undefined;
  try {
    const schema = schemaNamed('meta.v1.DeleteOptions');
    const raw = rawOptions(bytes, schema, encoding);
    checkOptionsKind(raw);
    return conform(raw, schema).value as JsonObject;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

/** What every version has besides options of a deletion, which these cannot be made into. */
const everyVersions: readonly string[] = [
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'CreateOptions',
  'PatchOptions',
  'Status',
  'UpdateOptions',
];
const metaVersions: readonly string[] = [
  'GetOptions',
  'ListOptions',
  'PartialObjectMetadata',
  'PartialObjectMetadataList',
  'Table',
  'WatchEvent',
];
const otherMetaKinds: Readonly<Record<string, ReadonlySet<string>>> = {
  v1: new Set(everyVersions),
  'meta.k8s.io/v1': new Set([...everyVersions, ...metaVersions]),
};

/** Options of a deletion may say what they are, in any group's version. @throws DecodeError for what is of another kind. */
function checkOptionsKind(raw: unknown): void {
  const problem = typeProblem(raw as Json);
  if (problem !== undefined) throw new DecodeError(problem);
  const { kind, apiVersion } = (raw ?? {}) as { readonly kind?: string; readonly apiVersion?: string };
  if (kind === undefined || kind === '' || kind === 'DeleteOptions') return;
  const version = apiVersion || 'meta.k8s.io/v1';
  if (otherMetaKinds[version]?.has(kind) === true)
    throw new DecodeError(`converting (v1.${kind}) to (v1.DeleteOptions): unknown conversion`);
  throw new DecodeError(
    `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in ${scheme}`,
  );
}

function rawOptions(bytes: Uint8Array, schema: ObjectSchema, encoding: Encoding): unknown {
  switch (encoding) {
    case 'json':
      try {
        return parseJson(bytes);
      } catch (error) {
        throw new DecodeError(withoutType((error as Error).message));
      }
    case 'yaml':
      return parseLenientYaml(textOf(bytes)).value;
    case 'protobuf':
      return decodeProtobuf(bytes, schema);
    case 'cbor':
      return decodeCbor(bytes);
  }
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
