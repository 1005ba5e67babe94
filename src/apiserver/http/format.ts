import type { ServedResource } from '../resources/resource.ts';
import type { ApiServer } from '../server.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';
import { namesGzip } from './compression.ts';
import {
  type AnswerFormat,
  checkProduced,
  mediaTypes,
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
  // What is handed on is answered as another server likes.
  if (handedOn.has(info.subresource)) return negotiateRefusal(accept, { pretty, served });
  const isCustom = resource.custom !== undefined;
  if (!isCustom) checkProduced(accept, producedAt(server, info));
  const hasTable = (resource.verbs.has('get') || isCustom) && !untabled.has(info.subresource);
  const format = negotiateAnswer(accept, { pretty, served, isCustom, hasTable });
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

function producedAt({ encodings }: ApiServer, { verb, subresource }: ResourceRequest): readonly string[] {
  const types = producedTypes(encodings, { watches: verb === 'list' || verb === 'watch' });
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
