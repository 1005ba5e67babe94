import { schemaNamed } from '#kinds/schemas.ts';
import { encodeCbor } from '#machinery/cbor.ts';
import { encodeJson, stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { encodeProtobuf } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import type { AnswerFormat } from './negotiation.ts';

const encoder = new TextEncoder();

/** A value in the form that the client wants. Kinds without a protobuf form are told in JSON by the caller. */
export function encodeValue(value: object, schema: ObjectSchema, { encoding, pretty }: AnswerFormat): Uint8Array {
  switch (encoding) {
    case 'json':
      return pretty ? encoder.encode(`${stringifyJson(value, 2)}\n`) : encodeJson(value);
    case 'yaml':
      return encoder.encode(dumpYaml(value as unknown as Json));
    case 'protobuf':
      return encodeProtobuf(value as JsonObject, schema);
    case 'cbor':
      return encodeCbor(value, schema);
  }
}

export const statusSchema = (): ObjectSchema => schemaNamed('meta.v1.Status');
