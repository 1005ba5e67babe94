import { schemaOfKind } from '#kinds/resources.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { decodeCbor, encodeCbor, isSelfDescribed } from '#machinery/cbor.ts';
import { DecodeError, encodeJson, parseJson } from '#machinery/json.ts';
import type { ApiObject, JsonObject } from '#machinery/meta.ts';
import { decodeEnvelope, decodeMessage, encodeProtobuf } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { StoredValue } from '#storage/store.ts';
import { StoredObject } from '../cache/stored-object.ts';

/** `k8s` and a zero byte, before what is protobuf. */
const protobufMark = [0x6b, 0x38, 0x73, 0x00];

/** Groups whose objects upstream's own servers keep as JSON. */
const keptAsJson = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io']);

export interface FormOptions {
  /** Objects of custom kinds as CBOR, as upstream with the feature `CBORServingAndStorage`. */
  readonly cbor: boolean;
}

/**
 * An object as upstream keeps it in etcd: protobuf in an envelope for built-in kinds, JSON or CBOR for others,
 * without its resourceVersion, which is the revision of the key.
 */
export function encodeForm(value: StoredValue, { cbor }: FormOptions): Uint8Array {
  const { object } = StoredObject.of(value);
  const { resourceVersion: _, ...metadata } = object.metadata;
  const kept = { ...object, metadata } as unknown as JsonObject;
  const { apiVersion = '', kind = '' } = object;
  if (keptAsJson.has(apiVersion.split('/')[0]!)) return encodeJson(kept);
  const schema = schemaOf(apiVersion, kind);
  if (schema !== undefined) return encodeProtobuf(kept, schema);
  return cbor ? encodeCbor(kept) : encodeJson(kept);
}

/** The object of a key in whichever form, with the key's revision. @throws DecodeError */
export function decodeForm(bytes: Uint8Array, revision: number): StoredObject {
  const object = protobufMark.every((byte, at) => bytes[at] === byte) ? fromProtobuf(bytes) : fromGeneral(bytes);
  return StoredObject.ofObject({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(revision) },
  });
}

function fromProtobuf(bytes: Uint8Array): ApiObject {
  const { apiVersion, kind, raw } = decodeEnvelope(bytes);
  const schema = schemaOf(apiVersion, kind);
  if (schema === undefined)
    throw new DecodeError(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  return Object.assign({ kind, apiVersion }, decodeMessage(raw, schema)) as unknown as ApiObject;
}

function fromGeneral(bytes: Uint8Array): ApiObject {
  const object = isSelfDescribed(bytes) ? decodeCbor(bytes) : parseJson(bytes);
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw new DecodeError('a stored value is no object');
  return object as unknown as ApiObject;
}

function schemaOf(apiVersion: string, kind: string): ObjectSchema | undefined {
  // No resource of the API: upstream only keeps it in etcd, and so do we.
  if (apiVersion === 'v1' && kind === 'RangeAllocation') return schemaNamed('core.v1.RangeAllocation');
  return schemaOfKind(apiVersion, kind);
}
