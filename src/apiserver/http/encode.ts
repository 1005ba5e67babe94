import { schemaNamed } from '#kinds/schemas.ts';
import { encodeCbor } from '#machinery/cbor.ts';
import { withExplicitNulls } from '#machinery/explicit-nulls.ts';
import { encodeJsonLine, stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { encodeProtobuf } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import type { AnswerFormat } from './negotiation.ts';

const encoder = new TextEncoder();

/** JSON for people to read: no line, but several. */
export function encodePretty(value: object): Uint8Array {
  return encoder.encode(stringifyJson(value, 2));
}

/** A value in the form that the client wants: JSON is a line unless it is pretty. Kinds without a protobuf form are told in JSON by the caller. */
export function encodeValue(value: object, schema: ObjectSchema, { encoding, pretty }: AnswerFormat): Uint8Array {
  switch (encoding) {
    case 'json': {
      const written = withExplicitNulls(value, schema);
      return pretty ? encodePretty(written) : encodeJsonLine(written);
    }
    case 'yaml':
      return encoder.encode(dumpYaml(withExplicitNulls(value, schema) as unknown as Json));
    case 'protobuf':
      return encodeProtobuf(value as JsonObject, schema);
    case 'cbor':
      return encodeCbor(withExplicitNulls(value, schema), schema);
  }
}

export const statusSchema = (): ObjectSchema => schemaNamed('meta.v1.Status');
