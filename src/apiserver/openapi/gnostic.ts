import { BackwardWriter, bytesType, fixed64Type, varintType } from '#machinery/protobuf/wire.ts';
import type { OpenApiObject } from './types.ts';

/** Writes a value, of a shape that the encoder knows, before what the writer holds. */
type Encode = (writer: BackwardWriter, number: number, value: unknown) => void;

/** A message's fields by their names in JSON. */
type Fields = Readonly<Record<string, readonly [number: number, encode: Encode]>>;

const text: Encode = (writer, number, value) => {
  writer.string(String(value));
  writer.tag(number, bytesType);
};
const flag: Encode = (writer, number, value) => {
  writer.varint(value === true ? 1 : 0);
  writer.tag(number, varintType);
};
const whole: Encode = (writer, number, value) => {
  writer.varint(Number(value));
  writer.tag(number, varintType);
};
const double: Encode = (writer, number, value) => {
  writer.double(Number(value));
  writer.tag(number, fixed64Type);
};

/** Whatever `write` writes, as a message inside. */
function within(writer: BackwardWriter, number: number, write: () => void): void {
  const before = writer.size;
  write();
  writer.varint(writer.size - before);
  writer.tag(number, bytesType);
}

/** Any JSON value, which is also YAML. */
const any: Encode = (writer, number, value) => within(writer, number, () => text(writer, 2, JSON.stringify(value)));

function repeated(encode: Encode): Encode {
  return (writer, number, value) => {
    for (const item of (value as readonly unknown[]).toReversed()) encode(writer, number, item);
  };
}

/** A message whose only field holds the value: how the format says "one of" and "list of". */
function wrapped(inner: number, encode: Encode): Encode {
  return (writer, number, value) => within(writer, number, () => encode(writer, inner, value));
}

const namedAny: Encode = named(any);

/** A key of a map with its value. */
function named(encode: Encode): Encode {
  return (writer, number, value) => {
    const [name, held] = value as readonly [string, unknown];
    within(writer, number, () => {
      encode(writer, 2, held);
      text(writer, 1, name);
    });
  };
}

/** An object with free keys: a message that repeats pairs as its field `inner`. */
function map(inner: number, encode: Encode): Encode {
  const pair = named(encode);
  return (writer, number, value) =>
    within(writer, number, () => {
      for (const entry of Object.entries(value as OpenApiObject).reverse()) pair(writer, inner, entry);
    });
}

/** A message with known fields; `x-…` extensions go to field `extensions`, and what the format lacks is left out. */
function message(fields: () => Fields, extensions: number): Encode {
  return (writer, number, value) => within(writer, number, () => writeFields(writer, value, fields(), extensions));
}

function writeFields(writer: BackwardWriter, value: unknown, fields: Fields, extensions: number): void {
  for (const [name, held] of Object.entries(value as OpenApiObject).reverse()) {
    const field = fields[name];
    if (field !== undefined) field[1](writer, field[0], held);
    else if (name.startsWith('x-')) namedAny(writer, extensions, [name, held]);
  }
}

const schema: Encode = message(() => schemaFields, 31);
const schemaFields: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, flag],
  minimum: [9, double],
  exclusiveMinimum: [10, flag],
  maxLength: [11, whole],
  minLength: [12, whole],
  pattern: [13, text],
  maxItems: [14, whole],
  minItems: [15, whole],
  uniqueItems: [16, flag],
  maxProperties: [17, whole],
  minProperties: [18, whole],
  required: [19, repeated(text)],
  enum: [20, repeated(any)],
  additionalProperties: [
    21,
    (writer, number, value) =>
      typeof value === 'boolean' ? wrapped(2, flag)(writer, number, value) : wrapped(1, schema)(writer, number, value),
  ],
  type: [22, wrapped(1, text)],
  items: [23, wrapped(1, schema)],
  allOf: [24, repeated(schema)],
  properties: [25, map(1, schema)],
  example: [30, any],
};

const bodyParameter: Encode = message(
  () => ({ description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] }),
  6,
);
const pathParameter: Encode = message(
  () => ({
    required: [1, flag],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [5, text],
    uniqueItems: [20, flag],
  }),
  22,
);
const queryParameter: Encode = message(
  () => ({
    required: [1, flag],
    in: [2, text],
    description: [3, text],
    name: [4, text],
    type: [6, text],
    uniqueItems: [21, flag],
  }),
  23,
);

/** Parameters are told apart by nested "one of" messages. */
const parameter: Encode = (writer, number, value) => {
  const { in: place } = value as { readonly in: string };
  const kind =
    place === 'body'
      ? wrapped(1, bodyParameter)
      : wrapped(2, place === 'path' ? wrapped(4, pathParameter) : wrapped(3, queryParameter));
  wrapped(1, kind)(writer, number, value);
};

const response: Encode = message(() => ({ description: [1, text], schema: [2, wrapped(1, schema)] }), 5);
const security: Encode = map(1, wrapped(1, repeated(text)));
const operation: Encode = message(
  () => ({
    tags: [1, repeated(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, repeated(text)],
    consumes: [7, repeated(text)],
    parameters: [8, repeated(parameter)],
    responses: [9, map(1, wrapped(1, response))],
    schemes: [10, repeated(text)],
    deprecated: [11, flag],
    security: [12, repeated(security)],
  }),
  13,
);
const pathItem: Encode = message(
  () => ({
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, repeated(parameter)],
  }),
  10,
);
const apiKey: Encode = message(() => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }), 5);
const documentFields: Fields = {
  swagger: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [2, text], description: [3, text] }), 7)],
  paths: [8, map(2, pathItem)],
  definitions: [9, map(1, schema)],
  security: [12, repeated(security)],
  securityDefinitions: [13, map(1, wrapped(2, apiKey))],
};

/**
 * An OpenAPI 2 document in gnostic's protobuf form (`openapi.v2.Document`), which clients written in Go before
 * version 1.27 ask for.
 */
export function encodeOpenApi2(document: OpenApiObject): Uint8Array {
  const writer = new BackwardWriter();
  writeFields(writer, document, documentFields, 16);
  return writer.finish();
}
