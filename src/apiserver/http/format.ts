import type { ApiServer } from '../server.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';
import { namesGzip } from './compression.ts';
import { type AnswerFormat, negotiateAnswer } from './negotiation.ts';
import { isTrue } from './request-info.ts';

/** In which form a request about a resource is answered. @throws ApiError 406 where there is none of those it accepts. */
export function answerFormat(
  { encodings, features }: ApiServer,
  request: AnyRequest,
  response: AnyResponse,
  query: URLSearchParams,
): AnswerFormat {
  const { accept, 'accept-encoding': encoding } = request.headers;
  if (namesGzip(encoding) && features.enabled('APIResponseCompression')) response.takesGzip = true;
  return negotiateAnswer(accept, { pretty: wantsPretty(request, query), served: encodings });
}

/** People with a browser or curl get indented output, programs do not. */
function wantsPretty({ headers }: AnyRequest, query: URLSearchParams): boolean {
  const asked = query.get('pretty');
  if (asked !== null) return isTrue(asked);
  return /^(curl|Wget|Mozilla)/.test(headers['user-agent'] ?? '');
}
