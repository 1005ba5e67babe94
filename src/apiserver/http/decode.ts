import { hasSchema, schemaNamed } from '#kinds/schemas.ts';
import { decodeCbor } from '#machinery/cbor.ts';
import { ApiError, badRequest, fieldError, invalid } from '#machinery/errors.ts';
import {
  conform,
  type Decoded,
  DecodeError,
  decodeJson,
  duplicateKeys,
  encodeJson,
  parseJson,
  parseShallowJson,
  unknownMembers,
} from '#machinery/json.ts';
import { type ApiObject, apiVersionOf, type Json, type JsonObject, type Mutable } from '#machinery/meta.ts';
import { unknownInJsonPatch } from '#machinery/patch/json-patch.ts';
import { type RepeatedKeys, repeatedKeys } from '#machinery/patch/repeated-keys.ts';
import { decodeProtobuf } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { type Emptied, withEmptied } from '#machinery/sent-empty.ts';
import { typeProblem, withoutType } from '#machinery/type-problem.ts';
import { parseLenientYaml, YamlError } from '#machinery/yaml.ts';
import type { PatchType } from '../registry/operation.ts';
import type { CustomForm } from '../resources/custom-form.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { Encoding } from './negotiation.ts';

/** What a body must be: the kind that the path speaks of. */
export interface ExpectedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: ObjectSchema;
  readonly custom?: CustomForm | undefined;
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
  return { group: row.group, version: row.version, kind: row.kind, schema: schemaNamed(name) };
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
    checkIdentity(object, expected);
    report(
      [
        ...odd.map(({ what, path }) => `${what} field ${JSON.stringify(path)}`),
        ...yamlDuplicates.map((text) =>
          options.fieldValidation === 'Strict' ? `yaml: unmarshal errors:\n  ${text}` : text,
        ),
      ],
      expected,
      options,
    );
    // What it is comes first: lists leave it out of each item by cutting it off.
    const whole = Object.assign({ kind, apiVersion }, object, { kind, apiVersion, metadata: object.metadata ?? {} });
    return options.emptied?.isAny === true ? withEmptied(whole, object) : whole;
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof YamlError)) throw error;
    const unreadable = syntaxProblem(bytes, options.encoding);
    if (unreadable !== undefined) {
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind}): ${unreadable} (${excerpt(bytes)})`,
      );
    }
    throw badRequest(
      `${kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${kind}: ${error.message}`,
    );
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

/** What is wrong with a body that is not even JSON, YAML or CBOR. */
function syntaxProblem(bytes: Uint8Array, encoding: Encoding): string | undefined {
  try {
    if (encoding === 'yaml') parseLenientYaml(textOf(bytes));
    const parsed = encoding === 'json' ? parseJson(bytes) : undefined;
    if (parsed !== undefined && (typeof parsed !== 'object' || Array.isArray(parsed))) return typeProblem(parsed);
    if (encoding === 'cbor') decodeCbor(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof YamlError) return error.message;
    if (encoding === 'cbor') return `unable to determine group/version/kind: ${(error as Error).message}`;
    return withoutType((error as Error).message);
  }
}

/** Bytes of an unreadable body that its sender gets to see. */
const maxExcerpt = 30;

function excerpt(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const shown = Buffer.from(bytes.subarray(0, maxExcerpt));
  return `${shown.toString(bytes[0] === 0x7b ? 'utf8' : 'hex')}${bytes.length > maxExcerpt ? ' ...' : ''}`;
}

function checkIdentity(object: ApiObject, expected: ExpectedKind): void {
  if (expected.custom !== undefined) return checkCustomIdentity(object, expected);
  const apiVersion = object.apiVersion || apiVersionOf(expected);
  const kind = object.kind || expected.kind;
  if (apiVersion === apiVersionOf(expected) && kind === expected.kind) return;
  if (expected.kind === 'Eviction' && kind === 'Eviction' && apiVersion === olderEvictions) return;
  const version = apiVersion.split('/').at(-1)!;
  const asRead = kind === expected.kind ? apiVersion : version;
  const cannot = `${kind} in version ${JSON.stringify(asRead)} cannot be handled as a ${expected.kind}`;
  if (kind === expected.kind || !isRegistered(apiVersion, kind))
    throw badRequest(
      `${cannot}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  const group = expected.group === '' ? 'core' : expected.group.split('.')[0];
  throw badRequest(`${cannot}: converting (${version}.${kind}) to (${group}.${expected.kind}): unknown conversion`);
}

/** Evictions may still say the version that they came in. */
const olderEvictions = 'policy/v1beta1';

const inEveryVersion = new Set(['DeleteOptions', 'ListOptions', 'Status', 'WatchEvent']);

function isRegistered(apiVersion: string, kind: string): boolean {
  const [version, group = 'core'] = apiVersion.split('/').reverse();
  return inEveryVersion.has(kind) || hasSchema(`${group.split('.')[0]}.${version}.${kind}`);
}

/** Objects of custom kinds have to say what they are. */
function checkCustomIdentity(object: ApiObject, expected: ExpectedKind): void {
  const { apiVersion = '', kind = '', metadata } = object;
  for (const [field, value] of [
    ['Kind', kind],
    ['apiVersion', apiVersion],
  ] as const) {
    if (value !== '') continue;
    const text = Buffer.from(encodeJson(object)).toString();
    const missing =
      field === 'Kind' ? `Object 'Kind' is missing in '${text}'` : `Object 'apiVersion' is missing in '${text}'`;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): ${missing} (${excerpt(Buffer.from(text))})`,
    );
  }
  if (apiVersion !== apiVersionOf(expected))
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(expected)})`,
    );
  if (kind === expected.kind) return;
  throw invalid({ group: expected.group, kind }, metadata?.name ?? '', [
    fieldError.invalid('kind', kind, `must be ${expected.kind}`),
  ]);
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
  apply: 'error decoding YAML: ',
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
    `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/runtime/scheme.go:111"`,
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
