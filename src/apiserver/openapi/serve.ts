import { createHash } from 'node:crypto';
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

/**
 * Serves `/openapi/v2` and `/openapi/v3`. A document is made when it is first asked for and again when its resources
 * have changed; clients that come back with its ETag or hash get nothing to read.
 */
export class OpenApi {
  readonly #load: () => Promise<Descriptions>;
  #describe: Promise<Descriptions> | undefined;
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
      sendJson(exchange.response, 200, { paths: this.#index(resources) });
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

  #index(resources: readonly ServedResource[]): object {
    const entries = [...byGroupVersion(resources)].map(([key, members]) => {
      // The hash stands for the content, so it may come from what the content is made of.
      const hash = createHash('sha256').update(members.map(fingerprint).join('\n')).digest('hex').toUpperCase();
      return [key, { serverRelativeURL: `/openapi/v3/${key}?hash=${hash}` }];
    });
    return Object.fromEntries(entries);
  }

  async #document(
    key: string,
    resources: readonly ServedResource[],
    make: (resources: readonly ServedResource[], describe: Descriptions) => OpenApiObject,
    encode: (document: OpenApiObject) => Uint8Array = (document) => Buffer.from(JSON.stringify(document)),
  ): Promise<Document> {
    const known = this.#documents.get(key);
    if (
      known !== undefined &&
      known.of.length === resources.length &&
      known.of.every((resource, index) => resource === resources[index])
    )
      return known.document;
    this.#describe ??= this.#load();
    const bytes = encode(make(resources, await this.#describe));
    const document = { bytes, hash: hashOf(bytes) };
    this.#documents.set(key, { of: resources, document });
    return document;
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

function fingerprint({ kind, schema, verbs, subresources }: ServedResource): string {
  return [kind.group, kind.version, kind.kind, schema.name, [...verbs].join(), [...subresources.keys()].join()].join(
    ' ',
  );
}
