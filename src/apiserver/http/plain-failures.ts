import { ApiError } from '#machinery/errors.ts';
import { AuditFailure } from '../audit/event.ts';
import { TooManyInFlight } from '../fairness/in-flight.ts';
import { type AnyResponse, addHeaders, sendBytes } from './answer.ts';
import type { AnyRequest } from './body.ts';

/** What is said where no path leads. */
const nothingThere = 'the server could not find the requested resource';

/** What upstream's filters refuse in plain words; false for everything else. */
export function sendPlainFailure(error: unknown, { url = '/' }: AnyRequest, response: AnyResponse): boolean {
  const send = (code: number, text: string): true => {
    addHeaders(response, { 'x-content-type-options': 'nosniff' });
    sendBytes(response, code, 'text/plain; charset=utf-8', Buffer.from(`${text}\n`));
    return true;
  };
  if (error instanceof AuditFailure)
    return send(500, `Internal Server Error: ${JSON.stringify(url)}: ${error.message}`);
  if (error instanceof ApiError && error.code === 404 && error.message === nothingThere)
    return send(404, '404 page not found');
  if (!(error instanceof TooManyInFlight)) return false;
  addHeaders(response, { 'retry-after': '1' });
  return send(429, error.message);
}
