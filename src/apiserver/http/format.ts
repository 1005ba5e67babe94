import { LruCache } from '#base/lru-cache.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { ApiServer } from '../server.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';
import { namesGzip } from './compression.ts';
import {
  type AnswerFormat,
  checkProduced,
  type Encoding,
  mediaTypes,
  type NegotiationOptions,
  negotiateAnswer,
  negotiatePlain,
  negotiateRefusal,
  notAcceptable,
  producedTypes,
  streamEncodingOf,
} from './negotiation.ts';
import type { ResourceRequest } from './request-info.ts';

/** A request as far as its answer's form depends on it. */
export interface Received {
  readonly server: ApiServer;
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  readonly query: URLSearchParams | undefined;
}

/** In which form a request about a resource is answered. @throws ApiError 406 where there is none of those it accepts. */
export function answerFormat(
  { server, request, response, query }: Received,
  info: ResourceRequest,
  resource: ServedResource,
): AnswerFormat {
  const { encodings: served, features } = server;
  const { accept, 'accept-encoding': encoding } = request.headers;
  if (namesGzip(encoding) && features.enabled('APIResponseCompression')) response.takesGzip = true;
  const pretty = wantsPretty(request, query);
  if (accept === undefined || accept === mediaTypes.json) return negotiateAnswer(accept, { pretty });
  const isCustom = resource.custom !== undefined;
  const hasTable = (resource.verbs.has('get') || isCustom) && !untabled.has(info.subresource);
  const known = knownAgreements(served);
  const key = `${isCustom} ${hasTable} ${pretty} ${info.verb} ${info.subresource} ${accept}`;
  let format = known.get(key);
  if (format === undefined) {
    format = agree(accept, info, { pretty, served, isCustom, hasTable });
    known.set(key, format);
  }
  return format;
}

/** What was agreed on lately: clients say the same with every request. */
const agreements = new WeakMap<readonly Encoding[], LruCache<string, AnswerFormat>>();
const maxAgreements = 512;

function knownAgreements(served: readonly Encoding[]): LruCache<string, AnswerFormat> {
  let known = agreements.get(served);
  if (known === undefined) {
    known = new LruCache(maxAgreements);
    agreements.set(served, known);
  }
  return known;
}

function agree(accept: string, info: ResourceRequest, options: Required<NegotiationOptions>): AnswerFormat {
  const { served, isCustom } = options;
  // What is handed on is answered as another server likes.
  if (handedOn.has(info.subresource)) return negotiateRefusal(accept, options);
  if (!isCustom) checkProduced(accept, producedAt(served, info));
  const format = negotiateAnswer(accept, options);
  if (info.verb === 'watch') streamEncodingOf(format, served);
  return format;
}

/**
 * In which form something is answered that is no resource.
 * @param isRouted whether upstream's router has a look before, as it has at what is built in
 * @throws ApiError 406
 */
export function plainFormat(
  { server, request, query }: Pick<Received, 'server' | 'request' | 'query'>,
  { isRouted }: { readonly isRouted: boolean },
): AnswerFormat {
  const { encodings: served } = server;
  const { accept } = request.headers;
  if (isRouted) checkProduced(accept, producedTypes(served));
  const format = negotiatePlain(accept, { pretty: wantsPretty(request, query), served });
  if (format === undefined) throw notAcceptable(served);
  return format;
}

/** In which form a request is refused, whatever else it might have been answered with. */
export function refusalFormat({ server, request, query }: Received): AnswerFormat {
  const { accept } = request.headers;
  return negotiateRefusal(accept, { pretty: wantsPretty(request, query), served: server.encodings });
}

const handedOn: ReadonlySet<string> = new Set(['proxy', 'exec', 'attach', 'portforward']);
const untabled: ReadonlySet<string> = new Set(['binding', 'eviction', 'log', 'token']);

function producedAt(served: readonly Encoding[], { verb, subresource }: ResourceRequest): readonly string[] {
  const types = producedTypes(served, { watches: verb === 'list' || verb === 'watch' });
  return subresource === 'log' ? ['text/plain', ...types] : types;
}

/** People with a browser or curl get indented output, programs do not. */
function wantsPretty({ headers }: AnyRequest, query: URLSearchParams | undefined): boolean {
  const asked = query?.get('pretty') ?? '';
  if (asked !== '') return truths.has(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(headers['user-agent'] ?? '');
}

/** What Go reads as true. */
const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
