import { ApiError } from '#machinery/errors.ts';
import { AuditFailure } from '../audit/event.ts';
import { TooManyInFlight } from '../fairness/in-flight.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { addHeaders, sendBytes } from './answer.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';

interface PlainFailure {
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  readonly resources: ResourceTable;
}

/** What is said where no path leads. */
const nothingThere = 'the server could not find the requested resource';

/** Whether a place outside the resources is one of a built-in group, which upstream has a router for. */
export function isBuiltInPlace({ groups }: ResourceTable, url: string): boolean {
  const [, root, group = ''] = url.split(/[/?]/);
  if (root === 'api') return true;
  if (root !== 'apis' || group === '') return false;
  for (const resources of groups.get(group)?.values() ?? [])
    for (const { custom } of resources) return custom === undefined;
  return false;
}

/** What upstream's filters refuse in plain words; false for everything else. */
export function sendPlainFailure(error: unknown, { request, response, resources }: PlainFailure): boolean {
  const { url = '/' } = request;
  const send = (code: number, text: string): true => {
    addHeaders(response, { 'x-content-type-options': 'nosniff' });
    sendBytes(response, code, 'text/plain; charset=utf-8', Buffer.from(`${text}\n`));
    return true;
  };
  if (error instanceof AuditFailure)
    return send(500, `Internal Server Error: ${JSON.stringify(url)}: ${error.message}`);
  // Where nothing is found below a built-in group, the group says so itself.
  const isNothing = error instanceof ApiError && error.code === 404 && error.message === nothingThere;
  if (isNothing && !isBuiltInPlace(resources, url)) return send(404, '404 page not found');
  if (!(error instanceof TooManyInFlight)) return false;
  addHeaders(response, { 'retry-after': '1' });
  return send(429, error.message);
}
