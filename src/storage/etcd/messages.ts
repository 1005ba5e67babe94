import { WireReader } from '#machinery/protobuf/wire.ts';

/** The messages of etcd's v3 API (etcdserverpb, mvccpb), as far as a store needs them. */

/** A field's number and value: a number is a varint, text and bytes are delimited. Zero and empty are left out. */
type Fields = readonly (readonly [number: number, value: number | boolean | string | Uint8Array])[];

function message(fields: Fields): Buffer {
  const parts: Buffer[] = [];
  for (const [number, value] of fields) {
    if (typeof value === 'number' || typeof value === 'boolean') {
      if (Number(value) !== 0) parts.push(varint(number * 8), varint(Number(value)));
      continue;
    }
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    parts.push(varint(number * 8 + 2), varint(bytes.length), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface RangeAnswer {
  /** The store's revision when it answered. */
  readonly revision: number;
  readonly entries: readonly KeyValue[];
  readonly more: boolean;
  /** How many keys the whole range has, beyond a limit, too. */
  readonly count: number;
}

export interface RangeQuery {
  readonly key: string;
  /** Exclusive; absent for one key. */
  readonly end?: string;
  readonly limit?: number;
  readonly revision?: number;
  readonly countOnly?: boolean;
}

/** The first key after all that begin with `prefix`. */
export function endOfPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

export function rangeRequest({ key, end = '', limit = 0, revision = 0, countOnly = false }: RangeQuery): Buffer {
  return message([[1, key], ...(end === '' ? [] : ([[2, end]] as const)), [3, limit], [4, revision], [9, countOnly]]);
}

export function rangeAnswer(bytes: Uint8Array): RangeAnswer {
  return readRange(new WireReader(bytes));
}

function readRange(reader: WireReader): RangeAnswer {
  let revision = 0;
  let more = false;
  let count = 0;
  const entries: KeyValue[] = [];
  each(reader, {
    1: (field) => {
      revision = headerRevision(field.message());
    },
    2: (field) => entries.push(keyValue(field.message())),
    3: (field) => {
      more = field.unsigned() !== 0;
    },
    4: (field) => {
      count = field.unsigned();
    },
  });
  return { revision, entries, more, count };
}

const compareModRevision = 2;

/** Puts or deletes a key if it is at the expected revision; else reads it. */
export function swapRequest(key: string, expectedRevision: number, value: Uint8Array | undefined, lease = 0): Buffer {
  const compare = message([
    [2, compareModRevision],
    [3, key],
    [6, expectedRevision],
  ]);
  // A comparison with revision 0 means that there is no such key, so the zero has to be there.
  const exact = expectedRevision === 0 ? Buffer.concat([compare, Buffer.from([6 * 8, 0])]) : compare;
  const write =
    value === undefined
      ? message([[3, message([[1, key]])]])
      : message([
          [
            2,
            message([
              [1, key],
              [2, value],
              [3, lease],
            ]),
          ],
        ]);
  const read = message([[1, rangeRequest({ key })]]);
  return message([
    [1, exact],
    [2, write],
    [3, read],
  ]);
}

export interface SwapAnswer {
  readonly revision: number;
  readonly succeeded: boolean;
  /** What is there, when the swap did not succeed. */
  readonly current: KeyValue | undefined;
}

export function swapAnswer(bytes: Uint8Array): SwapAnswer {
  let revision = 0;
  let succeeded = false;
  let current: KeyValue | undefined;
  each(new WireReader(bytes), {
    1: (field) => {
      revision = headerRevision(field.message());
    },
    2: (field) => {
      succeeded = field.unsigned() !== 0;
    },
    3: (field) =>
      each(field.message(), {
        1: (range) => {
          [current] = readRange(range.message()).entries;
        },
      }),
  });
  return { revision, succeeded, current };
}

/** A lease by an id of the caller's choice: the keys that name it go when it ends. */
export function leaseRequest(id: number, ttlSeconds: number): Buffer {
  return message([
    [1, ttlSeconds],
    [2, id],
  ]);
}

export function compactRequest(revision: number): Buffer {
  return message([[1, revision]]);
}

/** Follows a prefix from a revision on. */
export function watchRequest(prefix: string, startRevision: number): Buffer {
  const create = message([
    [1, prefix],
    [2, endOfPrefix(prefix)],
    [3, startRevision],
  ]);
  return message([[1, create]]);
}

/** Asks how far the watch has come. */
export function progressRequest(): Buffer {
  return Buffer.from([3 * 8 + 2, 0]);
}

export interface WatchedEvent {
  readonly isDeletion: boolean;
  readonly entry: KeyValue;
}

export interface WatchAnswer {
  readonly revision: number;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Not 0: the revisions that were asked for are compacted up to this one. */
  readonly compactedRevision: number;
  readonly events: readonly WatchedEvent[];
}

export function watchAnswer(bytes: Uint8Array): WatchAnswer {
  const answer = { revision: 0, created: false, canceled: false, compactedRevision: 0 };
  const events: WatchedEvent[] = [];
  each(new WireReader(bytes), {
    1: (field) => {
      answer.revision = headerRevision(field.message());
    },
    3: (field) => {
      answer.created = field.unsigned() !== 0;
    },
    4: (field) => {
      answer.canceled = field.unsigned() !== 0;
    },
    5: (field) => {
      answer.compactedRevision = field.unsigned();
    },
    11: (field) => events.push(watchedEvent(field.message())),
  });
  return { ...answer, events };
}

function watchedEvent(reader: WireReader): WatchedEvent {
  let isDeletion = false;
  let entry: KeyValue = { key: '', value: new Uint8Array(), createRevision: 0, modRevision: 0 };
  each(reader, {
    1: (field) => {
      isDeletion = field.unsigned() === 1;
    },
    2: (field) => {
      entry = keyValue(field.message());
    },
  });
  return { isDeletion, entry };
}

function keyValue(reader: WireReader): KeyValue {
  const entry = { key: '', value: new Uint8Array() as Uint8Array, createRevision: 0, modRevision: 0 };
  each(reader, {
    1: (field) => {
      entry.key = field.string();
    },
    2: (field) => {
      entry.createRevision = field.unsigned();
    },
    3: (field) => {
      entry.modRevision = field.unsigned();
    },
    5: (field) => {
      // A copy: the answer's buffer holds many values and would be kept by any of them.
      entry.value = field.delimited().slice();
    },
  });
  return entry;
}

function headerRevision(reader: WireReader): number {
  let revision = 0;
  each(reader, {
    3: (field) => {
      revision = field.unsigned();
    },
  });
  return revision;
}

function each(reader: WireReader, read: Readonly<Record<number, (field: WireReader) => unknown>>): void {
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    const known = read[number];
    if (known === undefined) reader.skip(wireType);
    else known(reader);
  }
}

/** How large a member's database is, as it says in a StatusResponse. */
export function databaseSize(bytes: Uint8Array): number {
  let size = 0;
  each(new WireReader(bytes), {
    3: (field) => {
      size = field.unsigned();
    },
  });
  return size;
}
