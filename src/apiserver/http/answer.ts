import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Log } from '#base/log.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { ApiError, internalError, type Status } from '#machinery/errors.ts';
import { asLine, encodeJson, encodeJsonLine, endsLine, withoutLine } from '#machinery/json.ts';
import { type ApiObject, apiVersionOf, type JsonObject, type ListMeta } from '#machinery/meta.ts';
import { StoreTimeout, StoreUnavailable } from '#storage/store.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { Result } from '../registry/operation.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { AnyResponse } from './any-http.ts';
import { ChunkedAnswer } from './chunks.ts';
import { compressed, compressing, declareGzip, isCompressed } from './compression.ts';
import { encodePretty, encodeValue, statusSchema } from './encode.ts';
import { protobufListOf, protobufOf } from './messages.ts';
import type { ServerMetrics } from './metrics.ts';
import { type AnswerFormat, mediaTypes } from './negotiation.ts';
import { scaleShown } from './scale-table.ts';
import { type IncludeObject, metadataOnly, tableOf } from './table.ts';

export interface Answering {
  readonly response: AnyResponse;
  readonly format: AnswerFormat;
  readonly include: IncludeObject;
  readonly resource: ServedResource;
  readonly now: number;
  readonly metrics: ServerMetrics;
  /** A watch has told of everything that was there. */
  readonly onListed: () => void;
}

/** Objects written to a list's body at a time: between chunks others get their turn. */
const chunkObjects = 64;
/** More need not be counted to know that a list is long. */
const enoughBytes = 256 * 1024;

/** Headers that the answer will have, whatever it is. */
export function addHeaders(response: AnyResponse, headers: OutgoingHttpHeaders): void {
  const { earlyHeaders: before } = response;
  response.earlyHeaders = before === undefined ? headers : { ...before, ...headers };
}

/** Starts the answer. */
export function writeHead(response: AnyResponse, status: number, headers: OutgoingHttpHeaders): void {
  const { earlyHeaders: more } = response;
  response.writeHead(status, more === undefined ? headers : { ...headers, ...more });
}

/** Sends a whole body at once. */
export function sendBytes(response: AnyResponse, status: number, contentType: string, body: Uint8Array): void {
  if (isCompressed(response, body.length)) void sendCompressed(response, status, contentType, body);
  else sendPlainBytes(response, status, contentType, body);
}

async function sendCompressed(
  response: AnyResponse,
  status: number,
  contentType: string,
  body: Uint8Array,
): Promise<void> {
  const bytes = await compressed(body);
  if (response.destroyed || response.headersSent) return;
  declareGzip(response);
  sendPlainBytes(response, status, contentType, bytes);
}

function sendPlainBytes(response: AnyResponse, status: number, contentType: string, body: Uint8Array): void {
  writeHead(response, status, {
    'content-type': contentType,
    'content-length': body.length,
    'cache-control': 'no-cache, private',
  });
  response.sentBytes = body.length;
  response.end(body);
}

export function sendJson(response: AnyResponse, status: number, value: object, { pretty }: AnswerFormat): void {
  sendBytes(response, status, mediaTypes.json, pretty ? encodePretty(value) : encodeJsonLine(value));
}

/** Sends what seldom changes: a client that names its ETag is told that it has it already. */
export function sendTagged(
  { request, response }: { readonly request: Pick<IncomingMessage, 'headers'>; readonly response: AnyResponse },
  contentType: string,
  body: Uint8Array,
  hash = hashOf(body),
): void {
  const etag = `"${hash}"`;
  response.setHeader('etag', etag);
  response.setHeader('vary', 'Accept');
  if (request.headers['if-none-match'] === etag) {
    writeHead(response, 304, {});
    response.end();
    return;
  }
  sendBytes(response, 200, contentType, body);
}

/** What stands for a body in ETags. */
export function hashOf(body: Uint8Array): string {
  return createHash('sha512').update(body).digest('hex').toUpperCase();
}

/** Sends the result of an operation, except a watch. */
export async function sendResult(answering: Answering, result: Exclude<Result, { type: 'watch' }>): Promise<void> {
  switch (result.type) {
    case 'object':
      return sendObject(answering, result.value, result.created ? 201 : 200);
    case 'plain':
      return sendPlain(answering, result.object, result.created ? 201 : 200);
    case 'list':
      return sendList(answering, result);
    case 'status':
      return sendStatus(answering.response, result.status, answering.format);
  }
}

function sendObject(answering: Answering, value: StoredObject, status: number): void {
  const { response, format, resource, include, now } = answering;
  if (format.as === 'object') {
    return sendBytes(response, status, mediaTypes[format.encoding], wholeObject(answering, value));
  }
  const { resourceVersion } = value.object.metadata;
  const metadata = resourceVersion === undefined ? {} : { resourceVersion };
  if (format.as === 'metadata list') throw resource.custom === undefined ? noList(goTypeOf(resource)) : customNoList();
  const { metaVersion } = format;
  if (format.as === 'metadata') {
    const bytes = encodeValue(metadataOnly(value.object, resource, metaVersion), metadataSchema(), format);
    return sendBytes(response, status, mediaTypes[format.encoding], bytes);
  }
  sendTable(
    answering,
    status,
    tableOf({ resource, objects: [value.object], metadata, include, now, metaVersion, withColumns: true }),
  );
}

function noList(type: string): ApiError {
  const message = `you requested PartialObjectMetadataList, but the requested object is not a list (${type})`;
  return new ApiError(406, 'NotAcceptable', message);
}

/** A custom object could be a list for all that upstream knows, until it looks. */
function customNoList(): ApiError {
  return new ApiError(500, '', 'content is not a list');
}

/** The type in which upstream keeps what a list is of. */
function goTypeOf({ kind, custom }: ServedResource): string {
  if (custom !== undefined) return '*unstructured.Unstructured';
  return `*${goPackages[kind.group] ?? kind.group.split('.')[0]}.${kind.kind}`;
}

/** Packages that are not called as the first part of their group. */
const goPackages: Readonly<Record<string, string>> = {
  '': 'core',
  'events.k8s.io': 'core',
  'internal.apiserver.k8s.io': 'apiserverinternal',
};

function wholeObject({ format, resource }: Answering, value: StoredObject): Uint8Array {
  if (format.encoding === 'json' && !format.pretty) return asLine(value.bytes);
  if (format.encoding === 'protobuf') return protobufOf(value, resource);
  return encodeValue(value.object, resource.schema, format);
}

function sendTable({ response, format }: Answering, status: number, table: object): void {
  const { encoding } = format;
  if (encoding === 'json') return sendJson(response, status, table, format);
  sendBytes(response, status, mediaTypes[encoding], encodeValue(table, statusSchema(), format));
}

/** Objects without their content, whatever their kind. */
export const metadataSchema = (): ServedResource['schema'] => schemaNamed('meta.v1.PartialObjectMetadata');

/** What is no object that is kept: the answer to a question, a scale. Of these, scales alone have a table. */
function sendPlain(answering: Answering, object: JsonObject, status: number): void {
  const { response, format, resource, include, now } = answering;
  const { metaVersion, encoding } = format;
  const shown = { ...object, metadata: object['metadata'] ?? {} } as unknown as ApiObject;
  const isCustom = resource.custom !== undefined;
  switch (format.as) {
    case 'object': {
      const schema = schemaNamed(schemaNameOf(object));
      return sendBytes(response, status, mediaTypes[encoding], encodeValue(object, schema, format));
    }
    case 'metadata list':
      throw noList(isCustom ? '*v1.Scale' : goTypeNamed(schemaNameOf(object)));
    case 'metadata': {
      const bytes = encodeValue(metadataOnly(shown, { rules: {} }, metaVersion), metadataSchema(), format);
      return sendBytes(response, status, mediaTypes[encoding], bytes);
    }
    case 'table': {
      const { resourceVersion } = shown.metadata;
      const metadata = resourceVersion === undefined ? {} : { resourceVersion };
      const options = { resource: scaleShown({ isCustom }), objects: [shown], metadata, metaVersion, include, now };
      return sendTable(answering, status, tableOf({ ...options, withColumns: true }));
    }
  }
}

/** `autoscaling.v1.Scale` */
function schemaNameOf(object: JsonObject): string {
  const [version, group = 'core'] = String(object['apiVersion']).split('/').reverse();
  return `${group.split('.')[0]}.${version}.${String(object['kind'])}`;
}

/** Upstream keeps what it has read in types without versions. */
function goTypeNamed(schema: string): string {
  const [group, , kind] = schema.split('.');
  return `*${group}.${kind}`;
}

async function sendList(answering: Answering, list: Extract<Result, { type: 'list' }>): Promise<void> {
  const { response, format, resource, include, now } = answering;
  const { items } = list;
  const { metaVersion } = format;
  if (format.as === 'object' && format.encoding === 'json' && !format.pretty) return streamList(answering, list);
  const metadata = format.as === 'object' ? listMetadata(list.metadata, resource) : list.metadata;
  if (format.as === 'object' && format.encoding === 'protobuf') {
    const bytes = protobufListOf(items, { resource, listKind: listKindOf(resource), metadata });
    return sendBytes(response, 200, mediaTypes.protobuf, bytes);
  }
  const objects = items.map(({ object }) => object);
  if (format.as === 'table') {
    const table = tableOf({ resource, objects, metadata, include, now, metaVersion, withColumns: true });
    return sendTable(answering, 200, table);
  }
  if (format.as === 'metadata') {
    const message = `you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(resource)}List)`;
    throw new ApiError(406, 'NotAcceptable', message);
  }
  if (format.as === 'metadata list') {
    const body = {
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${metaVersion}`,
      metadata,
      items: objects.map((object) => metadataOnly(object, resource, metaVersion)),
    };
    const bytes = encodeValue(body, schemaNamed(`meta.${metaVersion}.PartialObjectMetadataList`), format);
    return sendBytes(response, 200, mediaTypes[format.encoding], bytes);
  }
  const typed = resource.custom === undefined ? objects.map(untyped) : objects;
  const body = { kind: listKindOf(resource), apiVersion: apiVersionOf(resource.kind), metadata, items: typed };
  sendBytes(response, 200, mediaTypes[format.encoding], encodeValue(body, listSchema(resource), format));
}

/** Custom lists say also that they do not go on. */
function listMetadata(metadata: ListMeta, { custom }: ServedResource): ListMeta {
  return custom === undefined ? metadata : { continue: '', ...metadata };
}

function listKindOf({ kind, custom }: ServedResource): string {
  return custom?.published.listKind ?? `${kind.kind}List`;
}

/** `core.v1.Pod` is listed as `core.v1.PodList`. */
function listSchema(resource: ServedResource): ServedResource['schema'] {
  // Custom lists are never sent in the one form that needs a schema.
  return resource.custom === undefined ? schemaNamed(`${resource.schema.name}List`) : resource.schema;
}

/** The bytes of each object as the store has them, between a head and a tail, with back-pressure. */
async function streamList(
  { response, resource }: Answering,
  { items, metadata }: Extract<Result, { type: 'list' }>,
): Promise<void> {
  const head = `{"kind":"${listKindOf(resource)}","apiVersion":"${apiVersionOf(resource.kind)}","metadata":${JSON.stringify(listMetadata(metadata, resource))},"items":[`;
  const prefix = resource.custom === undefined ? itemPrefix(resource) : undefined;
  const headers = { 'content-type': mediaTypes.json, 'cache-control': 'no-cache, private' };
  if (items.length <= chunkObjects) {
    const parts = items.flatMap((item, index) => {
      const { separator, text } = listed(item, prefix, index === 0);
      return [separator, text];
    });
    const whole = Buffer.concat([Buffer.from(head), ...parts, tail]);
    if (isCompressed(response, whole.length)) return sendCompressed(response, 200, mediaTypes.json, whole);
    writeHead(response, 200, headers);
    response.sentBytes = whole.length;
    response.end(whole);
    return;
  }
  const isLong = response.takesGzip === true && isCompressed(response, lengthOf(items));
  if (isLong) declareGzip(response);
  writeHead(response, 200, headers);
  const answer = new ChunkedAnswer(response, isLong ? compressing(response) : response);
  if (!(await answer.add(Buffer.from(head)))) return;
  for (let index = 0; index < items.length; index++) {
    const { separator, text } = listed(items[index]!, prefix, index === 0);
    // Most have room, and are not waited for.
    const first = answer.add(separator);
    if (first !== undefined && !(await first)) return;
    const second = answer.add(text);
    if (second !== undefined && !(await second)) return;
  }
  await answer.end(tail);
}

/** Bytes of objects: all, or as many as it takes to know that they are many. */
function lengthOf(items: readonly StoredObject[]): number {
  let length = 0;
  for (const { bytes } of items) {
    length += bytes.length;
    if (length > enoughBytes) break;
  }
  return length;
}

/** How the bytes of an object begin: a list of a built-in kind says this once for all of its items. */
function itemPrefix({ kind }: ServedResource): Buffer {
  return Buffer.from(`{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},`);
}

/** An object as it stands in a list, and what stands in front of it. */
function listed(
  item: StoredObject,
  prefix: Buffer | undefined,
  isFirst: boolean,
): { readonly separator: Uint8Array; readonly text: Uint8Array } {
  const { bytes } = item;
  if (prefix !== undefined && beginsWith(bytes, prefix)) {
    const text = bytes.subarray(prefix.length, endsLine(bytes) ? -1 : undefined);
    return { separator: isFirst ? brace : nextBrace, text };
  }
  const text = prefix === undefined ? withoutLine(bytes) : encodeJson(untyped(item.object));
  return { separator: isFirst ? nothing : comma, text };
}

/** Faster for a few bytes than asking the platform. */
function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let index = 0; index < prefix.length; index++) if (bytes[index] !== prefix[index]) return false;
  return true;
}

function untyped({ kind: _, apiVersion: __, ...rest }: ApiObject): ApiObject {
  return rest as ApiObject;
}

const nothing = new Uint8Array(0);
const brace = Buffer.from('{');
const nextBrace = Buffer.from(',{');
const comma = Buffer.from(',');
const tail = Buffer.from(']}\n');

export function sendStatus(response: AnyResponse, status: Status, format: AnswerFormat): void {
  const encoding = format.encoding;
  if (status.details?.retryAfterSeconds !== undefined)
    response.setHeader('retry-after', String(status.details.retryAfterSeconds));
  sendBytes(
    response,
    status.code ?? 200,
    mediaTypes[encoding],
    encodeValue(status as unknown as ApiObject, statusSchema(), format),
  );
}

/** Every failure becomes a Status: expected ones as they are, a bug as a 500 that tells the log and not the client. */
export function statusOfError(error: unknown, log: Log): Status {
  if (error instanceof ApiError) return error.status;
  if (error instanceof StoreUnavailable) return internalError(`the store is not available: ${error.message}`).status;
  if (error instanceof StoreTimeout)
    return new ApiError(504, 'Timeout', `Timeout: the store has not answered in time: ${error.message}`).status;
  log.error('request failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return internalError(error instanceof Error ? error.message : 'unexpected failure').status;
}
