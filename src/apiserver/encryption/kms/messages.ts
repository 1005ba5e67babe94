/** The few protobuf messages of KMS v2, written and read by hand: bytes, strings, one enum and one map. */

export interface EncryptedObject {
  readonly encryptedData: Uint8Array;
  readonly keyId: string;
  readonly encryptedSource: Uint8Array;
  readonly annotations: ReadonlyMap<string, Uint8Array>;
  /** 0: the source is the AES-GCM key itself; 1: a seed from which keys are derived. */
  readonly sourceType: number;
}

/** A message as it is on the wire: field numbers with bytes or numbers, in order. */
export type Fields = readonly (readonly [field: number, value: Uint8Array | number])[];

export function encodeFields(fields: Fields): Buffer {
  const parts: Uint8Array[] = [];
  for (const [field, value] of fields) {
    if (typeof value === 'number') {
      if (value !== 0) parts.push(varint(field * 8), varint(value));
    } else if (value.length > 0) parts.push(varint(field * 8 + 2), varint(value.length), value);
  }
  return Buffer.concat(parts);
}

/** @throws Error for what is no message. */
export function decodeFields(bytes: Uint8Array): Fields {
  const fields: [number, Uint8Array | number][] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 49) throw new Error('the message ends too early');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = next();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) fields.push([field, next()]);
    else if (type === 2) {
      const length = next();
      if (at + length > bytes.length) throw new Error('the message ends too early');
      fields.push([field, bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`a field of type ${type} has no place in this message`);
  }
  return fields;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function bytesOf(fields: Fields, field: number): Uint8Array {
  const found = fields.findLast(([number]) => number === field)?.[1];
  return typeof found === 'object' ? found : new Uint8Array();
}

export function textOf(fields: Fields, field: number): string {
  return Buffer.from(bytesOf(fields, field)).toString();
}

/** A map of strings to bytes is a repeated message of a key and a value. */
export function mapOf(fields: Fields, field: number): ReadonlyMap<string, Uint8Array> {
  const map = new Map<string, Uint8Array>();
  for (const [number, value] of fields) {
    if (number !== field || typeof value === 'number') continue;
    const entry = decodeFields(value);
    map.set(textOf(entry, 1), bytesOf(entry, 2));
  }
  return map;
}

export function mapFields(field: number, map: ReadonlyMap<string, Uint8Array>): Fields {
  return [...map].map(([key, value]) => [
    field,
    encodeFields([
      [1, Buffer.from(key)],
      [2, value],
    ]),
  ]);
}

export function encodeEncryptedObject(object: EncryptedObject): Buffer {
  return encodeFields([
    [1, object.encryptedData],
    [2, Buffer.from(object.keyId)],
    [3, object.encryptedSource],
    ...mapFields(4, object.annotations),
    [5, object.sourceType],
  ]);
}

export function decodeEncryptedObject(bytes: Uint8Array): EncryptedObject {
  const fields = decodeFields(bytes);
  const sourceType = fields.findLast(([number]) => number === 5)?.[1];
  return {
    encryptedData: bytesOf(fields, 1),
    keyId: textOf(fields, 2),
    encryptedSource: bytesOf(fields, 3),
    annotations: mapOf(fields, 4),
    sourceType: typeof sourceType === 'number' ? sourceType : 0,
  };
}
