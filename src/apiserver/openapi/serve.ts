import { sleep } from '#base/clock.ts';
import type { RemoteApi } from '../aggregation/aggregator.ts';
import { hashOf, sendBytes, sendTagged, writeHead } from '../http/answer.ts';
import type { Exchange } from '../http/handler.ts';
import { mediaTypes } from '../http/negotiation.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { ApiServer } from '../server.ts';
import { type DocumentForms, openApi2Document, openApi3Document } from './documents.ts';
import { encodeOpenApi2 } from './gnostic.ts';
import type { Descriptions, OpenApiObject } from './types.ts';

interface Document {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/** A document, and what it was made from. */
interface Made {
  readonly of: readonly unknown[];
  readonly document: Document;
}

type MakeDocument = (
  resources: readonly ServedResource[],
  describe: Descriptions,
  forms: DocumentForms,
) => OpenApiObject;
type EncodeDocument = (document: OpenApiObject) => Uint8Array;

const asJson: EncodeDocument = (document) => Buffer.from(JSON.stringify(document));

/**
 * Serves `/openapi/v2` and `/openapi/v3`. A document is made when it is first asked for and again when its resources
 * have changed; clients that come back with its ETag or hash get nothing to read.
 */
export class OpenApi {
  readonly #load: () => Promise<Descriptions>;
  #describe: Promise<Descriptions> | undefined;
  readonly #hashes = new Map<string, { readonly of: readonly ServedResource[]; readonly hash: string }>();
  readonly #documents = new Map<string, Made>();

  /** `describe` is asked once, when somebody first wants a document. */
  constructor(describe: () => Promise<Descriptions> = async () => () => undefined) {
    this.#load = describe;
  }

  /** Returns false for a path that is none of its own. */
  async serve(exchange: Exchange, path: string): Promise<boolean> {
    const { server } = exchange;
    if (path === '/openapi/v2') {
      const isBinary = wantsProtobuf(exchange.request.headers.accept);
      const document = await this.#whole(server, isBinary);
      if (isBinary) this.#send(exchange, document, protobufType);
      else this.#send(exchange, document);
      return true;
    }
    if (path === '/openapi/v3') {
      const index = Buffer.from(JSON.stringify({ paths: await this.#index(server) }));
      sendBytes(exchange.response, 200, 'text/plain; charset=utf-8', index);
      return true;
    }
    if (!path.startsWith('/openapi/v3/')) return false;
    const key = path.slice('/openapi/v3/'.length);
    const [group, version] = groupVersionOf(key);
    const members = server.resources.groups.get(group)?.get(version);
    const remote = remoteDocument(server, group, version);
    if (members !== undefined) this.#send(exchange, await this.#document(server, key, [...members]));
    else if (remote !== undefined) this.#send(exchange, { bytes: remote, hash: hashOf(remote) });
    else sendNothing(exchange);
    return true;
  }

  /** Where the documents are, with the hash of each: clients keep a document on disk for as long as its hash lasts. */
  async #index(server: ApiServer): Promise<object> {
    const entries: (readonly [string, object])[] = [];
    const put = (key: string, hash: string): void => {
      entries.push([key, { serverRelativeURL: `/openapi/v3/${key}?hash=${hash}` }]);
    };
    for (const [group, versions] of server.resources.groups) {
      for (const [version, resources] of versions) {
        const key = group === '' ? `api/${version}` : `apis/${group}/${version}`;
        const members = [...resources];
        let known = this.#hashes.get(key);
        if (known === undefined || !isSame(known.of, members)) {
          // Made for its hash alone, and not kept: most documents are never asked for.
          const { hash } = await this.#make(server, members, openApi3Document, asJson);
          known = { of: members, hash };
          this.#hashes.set(key, known);
          await sleep(server.environment.clock, 0);
        }
        put(key, known.hash);
      }
    }
    for (const { group, version, openApi, isAvailable } of server.aggregator?.remotes ?? [])
      if (isAvailable && openApi?.v3 !== undefined) put(`apis/${group}/${version}`, hashOf(openApi.v3));
    this.#forgetOthers(new Set(entries.map(([key]) => key)));
    return Object.fromEntries(entries);
  }

  /** What was made for groups that have gone since. */
  #forgetOthers(keys: ReadonlySet<string>): void {
    for (const key of this.#hashes.keys()) if (!keys.has(key)) this.#hashes.delete(key);
    for (const key of this.#documents.keys()) if (key.startsWith('api') && !keys.has(key)) this.#documents.delete(key);
  }

  async #document(server: ApiServer, key: string, resources: readonly ServedResource[]): Promise<Document> {
    const known = this.#documents.get(key);
    if (known !== undefined && isSame(known.of, resources)) return known.document;
    const document = await this.#make(server, resources, openApi3Document, asJson);
    this.#documents.set(key, { of: resources, document });
    return document;
  }

  /** Everything in one document, aggregated servers included. */
  async #whole(server: ApiServer, isBinary: boolean): Promise<Document> {
    const key = isBinary ? 'v2 in protobuf' : 'v2';
    const state = [server.resources.changes, server.aggregator?.changes ?? 0];
    const known = this.#documents.get(key);
    if (known !== undefined && isSame(known.of, state)) return known.document;
    const remotes = [...(server.aggregator?.remotes ?? [])];
    const make: MakeDocument = (...from) => withRemotes(openApi2Document(...from), remotes);
    const document = await this.#make(server, [...server.resources.all()], make, isBinary ? encodeOpenApi2 : asJson);
    this.#documents.set(key, { of: state, document });
    return document;
  }

  async #make(
    { encodings }: ApiServer,
    resources: readonly ServedResource[],
    make: MakeDocument,
    encode: EncodeDocument,
  ): Promise<Document> {
    this.#describe ??= this.#load();
    const bytes = encode(make(resources, await this.#describe, { cbor: encodings.includes('cbor') }));
    return { bytes, hash: hashOf(bytes) };
  }

  #send(exchange: Exchange, { bytes, hash }: Document, type: string = mediaTypes.json): void {
    const { response, query } = exchange;
    // Who asks for a certain content never needs to ask again.
    if (query.has('hash')) response.setHeader('expires', new Date(Date.parse('2099-01-01T00:00:00Z')).toUTCString());
    sendTagged(exchange, type, bytes, hash);
  }
}

/** Go's parser of media types accepts the form with dots only; clients ask for either. */
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobufTypes: ReadonlySet<string> = new Set([
  protobufType,
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
]);

/** Whether the first acceptable form that the client names is the protobuf one. */
function wantsProtobuf(accept = ''): boolean {
  const ranges = accept.split(',').map((range) => range.split(';')[0]!.trim());
  const first = ranges.find(
    (range) => protobufTypes.has(range) || ['*/*', 'application/*', mediaTypes.json].includes(range),
  );
  return first !== undefined && protobufTypes.has(first);
}

function isSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((resource, index) => resource === right[index]);
}

/** What upstream says where there is no document: not a word. */
function sendNothing({ response }: Exchange): void {
  writeHead(response, 404, { 'content-length': 0, 'cache-control': 'no-cache, private' });
  response.end();
}

/** `api/v1` or `apis/GROUP/VERSION`. */
function groupVersionOf(key: string): readonly [group: string, version: string] {
  const [root, ...rest] = key.split('/');
  const [group = '', version = ''] = root === 'api' ? ['', ...rest] : rest;
  return [group, version];
}

function remoteDocument(server: ApiServer, group: string, version: string): Uint8Array | undefined {
  const remote = server.aggregator?.remoteFor(group, version);
  return remote?.isAvailable === true ? remote.openApi?.v3 : undefined;
}

/** The paths of the groups that aggregated servers answer for, and the types that those speak of. */
function withRemotes(document: OpenApiObject, remotes: readonly RemoteApi[]): OpenApiObject {
  const paths = { ...(document['paths'] as OpenApiObject) };
  const definitions = { ...(document['definitions'] as OpenApiObject) };
  for (const { group, version, isAvailable, openApi } of remotes) {
    if (!isAvailable || openApi?.v2 === undefined) continue;
    const root = `/apis/${group}/${version}`;
    const remotePaths = (openApi.v2['paths'] ?? {}) as OpenApiObject;
    for (const path of Object.keys(remotePaths))
      if (path === `${root}/` || path.startsWith(`${root}/`)) paths[path] = remotePaths[path];
    const types = (openApi.v2['definitions'] ?? {}) as OpenApiObject;
    for (const name of Object.keys(types)) definitions[name] ??= types[name];
  }
  return { ...document, paths, definitions };
}
