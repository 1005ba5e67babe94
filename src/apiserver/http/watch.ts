import type { Clock } from '#base/clock.ts';
import { encodeCbor, encodeCborFrame } from '#machinery/cbor.ts';
import type { Status } from '#machinery/errors.ts';
import { withoutLine } from '#machinery/json.ts';
import { type ApiObject, apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import { encodeProtobuf, encodeWatchFrame } from '#machinery/protobuf.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { StoredObject } from '../cache/stored-object.ts';
import { nudgeRegularly, refined } from '../cache/watch-stream.ts';
import type { WatchResult } from '../registry/operation.ts';
import { inServedVersion, readyToServe, type ServedResource } from '../resources/resource.ts';
import { type Answering, metadataSchema, writeHead } from './answer.ts';
import type { AnyResponse } from './any-http.ts';
import { drained } from './chunks.ts';
import { statusSchema } from './encode.ts';
import { EventBody } from './event-body.ts';
import { protobufOf } from './messages.ts';
import { mediaTypes, type StreamEncoding, streamEncodingOf } from './negotiation.ts';
import { metadataOnly, tableOf } from './table.ts';
import { type Batch, batchOf, SharedBatches, WatchRounds } from './watch-rounds.ts';

/** Idle watches with bookmarks get one about this often. */
const bookmarkIntervalMs = 60_000;

const streamTypes: Readonly<Record<StreamEncoding, string>> = {
  json: mediaTypes.json,
  protobuf: `${mediaTypes.protobuf};stream=watch`,
  cbor: 'application/cbor-seq',
};

/** Sends events until the client goes, the time is up, or the stream is cut because the client cannot follow. */
export async function sendWatch(answering: Answering, watch: WatchResult, clock: Clock): Promise<void> {
  const { response, format } = answering;
  const { stream } = watch;
  const { group, version, resource } = answering.resource.kind;
  const told = answering.metrics.watching(group, version, resource);
  writeHead(response, 200, {
    'content-type': streamTypes[streamEncodingOf(format)],
    'cache-control': 'no-cache, private',
  });
  const body = new EventBody(response);
  const deadline = clock.schedule(watch.timeoutMs, () => stream.close());
  const idle = new AbortController();
  response.once('close', () => stream.close());
  // Its reader may be waiting for a client that reads no more.
  const terminate = (): void => {
    told.terminated(1);
    response.destroy();
  };
  stream.onCut = terminate;
  if (watch.bookmarks)
    void nudgeRegularly(watch.stream, { clock, intervalMs: bookmarkIntervalMs, signal: idle.signal });
  try {
    const write = (batch: Batch): boolean | Promise<boolean> => {
      told.events(batch.frames.length);
      batch.sizes ??= told.tally(batch.frames.map(({ length }) => length));
      told.sizes(batch.sizes);
      return writeInTime({ response, body, terminate }, batch.bytes, clock);
    };
    await sendEvents(answering, watch, { clock, write });
  } finally {
    deadline.cancel();
    idle.abort();
    stream.close();
    body.end();
  }
}

/** Sends why there is nothing to watch: upstream begins such a watch, and ends it with its first event. */
export function sendWatchFailure({ response, format }: Pick<Answering, 'response' | 'format'>, status: Status): void {
  const encoding = streamEncodingOf(format);
  writeHead(response, 200, { 'content-type': streamTypes[encoding], 'cache-control': 'no-cache, private' });
  response.end(frameOf('ERROR', status, { encoding, schema: statusSchema() }));
}

/** Objects that are there from the start go out so many at a time. */
const chunkObjects = 64;

/** As much may wait for a client until nothing more is written to it. What many are told is there once for all of them. */
const maxWaitingBytes = 128 * 1024;

/** A client that takes nothing for this long is gone, whatever its connection says. */
const stalledMs = 30_000;

/** False, or resolves to it, when the client is gone. */
function writeInTime(
  {
    response,
    body,
    terminate,
  }: { readonly response: AnyResponse; readonly body: EventBody; readonly terminate: () => void },
  piece: Uint8Array,
  clock: Clock,
): boolean | Promise<boolean> {
  if (response.destroyed) return false;
  // Most clients have taken it by their next turn: to wait for each of them costs as much as to write.
  if (body.write(piece) || response.writableLength < maxWaitingBytes) return true;
  const limit = clock.schedule(stalledMs, terminate);
  return drained(response).finally(() => limit.cancel());
}

async function sendEvents(
  answering: Answering,
  watch: WatchResult,
  { clock, write }: { readonly clock: Clock; readonly write: (batch: Batch) => boolean | Promise<boolean> },
): Promise<void> {
  const { resource, format } = answering;
  // An object is no list of metadata: upstream ends such a watch with its first event.
  if (format.as === 'metadata list') return;
  const { rounds, batches } = crowdOf(resource, clock);
  const isShared = format.as === 'object' && watch.late === undefined;
  const { stream, initial, initialEndsAt, bookmarks } = watch;
  const frame = framer(answering);
  for (let start = 0; start < initial.length; start += chunkObjects) {
    const frames = initial.slice(start, start + chunkObjects).map((value) => frame('ADDED', value));
    if (!(await write(batchOf(frames)))) return;
  }
  if (initialEndsAt !== undefined) {
    const marked = bookmark(answering, initialEndsAt, { 'k8s.io/initial-events-end': 'true' });
    if (!(await write(batchOf([frame('BOOKMARK', marked)])))) return;
    answering.onListed();
  }
  const moment = rounds.join();
  let told = 0;
  let writtenMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    await stream.wait();
    const turn = stream.isEmpty ? undefined : rounds.turn(resource.storage?.cache.watcherCount ?? 0, moment, writtenMs);
    if (turn !== undefined) await turn;
    writtenMs = clock.monotonic();
    const events = stream.take();
    if (events.length === 0) {
      if (stream.closed) return;
      const revision = watch.revision();
      const isDue = bookmarks && revision > told;
      if (isDue && !(await write(batchOf([frame('BOOKMARK', bookmark(answering, revision))])))) return;
      told = revision;
      continue;
    }
    const isCommon = isShared && events.length > 1;
    let batch = isCommon ? batches.known(format.encoding, events) : undefined;
    if (batch === undefined) {
      const pending = readyToServe(
        resource,
        events.map(({ value }) => value),
      );
      if (pending !== undefined) await pending;
      const seen = refined(events, watch.late);
      batch = batchOf(seen.map(({ type, value }) => frame(type, inServedVersion(resource, value))));
      if (isCommon) batches.remember(format.encoding, events, batch);
    }
    if (batch.frames.length > 0 && !(await write(batch))) return;
  }
}

interface Crowd {
  readonly rounds: WatchRounds;
  readonly batches: SharedBatches;
}

/** What the watchers of a resource in one version have together. */
const crowds = new WeakMap<ServedResource, Crowd>();

function crowdOf(resource: ServedResource, clock: Clock): Crowd {
  let crowd = crowds.get(resource);
  if (crowd === undefined) {
    crowd = { rounds: new WatchRounds(clock), batches: new SharedBatches() };
    crowds.set(resource, crowd);
  }
  return crowd;
}

type Bookmark = { readonly object: ApiObject };

function bookmark({ resource }: Answering, revision: number, annotations?: Readonly<Record<string, string>>): Bookmark {
  const metadata = { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) };
  return { object: { kind: resource.kind.kind, apiVersion: apiVersionOf(resource.kind), metadata } };
}

/** Frames of whole objects, made once for all watchers of an object, by type of event and encoding. */
const sharedFrames = new WeakMap<object, Map<string, Uint8Array>>();

function framer({
  format,
  resource,
  include,
  now,
}: Answering): (type: string, value: StoredObject | Bookmark) => Uint8Array {
  const { metaVersion } = format;
  const encoding = streamEncodingOf(format);
  let first = true;
  return (type, value) => {
    if (format.as === 'object' && value instanceof StoredObject) return sharedFrame(type, value, encoding, resource);
    let { object }: { readonly object: object } = value;
    if (format.as === 'metadata') object = metadataOnly(object as ApiObject, resource, metaVersion);
    if (format.as === 'table') {
      const { resourceVersion } = (object as ApiObject).metadata;
      const metadata = resourceVersion === undefined ? {} : { resourceVersion };
      object = tableOf({
        resource,
        objects: [object as ApiObject],
        metadata,
        include,
        now,
        metaVersion,
        withColumns: first,
      });
    }
    first = false;
    const schema = format.as === 'object' ? resource.schema : format.as === 'metadata' ? metadataSchema() : undefined;
    return frameOf(type, object, { encoding, schema });
  };
}

function frameOf(
  type: string,
  object: object,
  { encoding, schema }: { readonly encoding: StreamEncoding; readonly schema: ObjectSchema | undefined },
): Uint8Array {
  switch (encoding) {
    case 'json':
      return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
    case 'protobuf':
      return encodeWatchFrame(type, encodeProtobuf(object as JsonObject, schema!));
    case 'cbor':
      return encodeCborFrame(type, encodeCbor(object, schema));
  }
}

function sharedFrame(
  type: string,
  value: StoredObject,
  encoding: StreamEncoding,
  resource: ServedResource,
): Uint8Array {
  const { memory } = value;
  if (memory === undefined) return wholeFrame(type, value, encoding, resource);
  let frames = sharedFrames.get(memory);
  if (frames === undefined) {
    frames = new Map();
    sharedFrames.set(memory, frames);
  }
  const key = `${type} ${encoding}`;
  let frame = frames.get(key);
  if (frame === undefined) {
    frame = wholeFrame(type, value, encoding, resource);
    frames.set(key, frame);
  }
  return frame;
}

function wholeFrame(type: string, value: StoredObject, encoding: StreamEncoding, resource: ServedResource): Uint8Array {
  switch (encoding) {
    case 'json':
      return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), withoutLine(value.bytes), Buffer.from('}\n')]);
    case 'protobuf':
      return encodeWatchFrame(type, protobufOf(value, resource));
    case 'cbor':
      return encodeCborFrame(type, encodeCbor(value.object, resource.schema));
  }
}
