import { sleep } from '#base/clock.ts';
import { ApiError } from '#machinery/errors.ts';
import { hashOf, sendJson, sendTagged } from '../http/answer.ts';
import type { Exchange } from '../http/handler.ts';
import { mediaTypes } from '../http/negotiation.ts';
import type { ServedResource } from '../resources/resource.ts';
import { openApi2Document, openApi3Document } from './documents.ts';
import { encodeOpenApi2 } from './gnostic.ts';
import type { Descriptions, OpenApiObject } from './types.ts';

interface Document {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

type MakeDocument = (resources: readonly ServedResource[], describe: Descriptions) => OpenApiObject;
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
  readonly #documents = new Map<string, { readonly of: readonly ServedResource[]; readonly document: Document }>();

  /** `describe` is asked once, when somebody first wants a document. */
  constructor(describe: () => Promise<Descriptions> = async () => () => undefined) {
    this.#load = describe;
  }

  /** Returns false for a path that is none of its own. */
  async serve(exchange: Exchange, path: string): Promise<boolean> {
    const resources = [...exchange.server.resources.all()];
    if (path === '/openapi/v2') {
      if (wantsProtobuf(exchange.request.headers.accept))
        this.#send(
          exchange,
          await this.#document('v2 in protobuf', resources, openApi2Document, encodeOpenApi2),
          protobufType,
        );
      else this.#send(exchange, await this.#document('v2', resources, openApi2Document));
      return true;
    }
    if (path === '/openapi/v3') {
      sendJson(exchange.response, 200, { paths: await this.#index(exchange, resources) });
      return true;
    }
    if (!path.startsWith('/openapi/v3/')) return false;
    const key = path.slice('/openapi/v3/'.length);
    const wanted = byGroupVersion(resources).get(key);
    if (wanted === undefined)
      throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
    this.#send(exchange, await this.#document(key, wanted, openApi3Document));
    return true;
  }

  /** Where the documents are, with the hash of each: clients keep a document on disk for as long as its hash lasts. */
  async #index({ server }: Exchange, resources: readonly ServedResource[]): Promise<object> {
    const entries: (readonly [string, object])[] = [];
    for (const [key, members] of byGroupVersion(resources)) {
      let known = this.#hashes.get(key);
      if (known === undefined || !isSame(known.of, members)) {
        // Made for its hash alone, and not kept: most documents are never asked for.
        const { hash } = await this.#make(members, openApi3Document, asJson);
        known = { of: members, hash };
        this.#hashes.set(key, known);
        await sleep(server.environment.clock, 0);
      }
      entries.push([key, { serverRelativeURL: `/openapi/v3/${key}?hash=${known.hash}` }]);
    }
    return Object.fromEntries(entries);
  }

  async #document(
    key: string,
    resources: readonly ServedResource[],
    make: MakeDocument,
    encode: EncodeDocument = asJson,
  ): Promise<Document> {
    const known = this.#documents.get(key);
    if (known !== undefined && isSame(known.of, resources)) return known.document;
    const document = await this.#make(resources, make, encode);
    this.#documents.set(key, { of: resources, document });
    return document;
  }

  async #make(resources: readonly ServedResource[], make: MakeDocument, encode: EncodeDocument): Promise<Document> {
    this.#describe ??= this.#load();
    const bytes = encode(make(resources, await this.#describe));
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

function isSame(left: readonly ServedResource[], right: readonly ServedResource[]): boolean {
  return left.length === right.length && left.every((resource, index) => resource === right[index]);
}

function byGroupVersion(resources: readonly ServedResource[]): Map<string, ServedResource[]> {
  const groups = new Map<string, ServedResource[]>();
  for (const resource of resources) {
    const { group, version } = resource.kind;
    const key = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    const members = groups.get(key) ?? [];
    groups.set(key, members);
    members.push(resource);
  }
  return groups;
}
