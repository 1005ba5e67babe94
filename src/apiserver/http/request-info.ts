import { ApiError } from '#machinery/errors.ts';
import { exactField, parseFieldSelector } from '#machinery/fields.ts';
import type { AccessAttributes } from '../authorization/authorizer.ts';
import type { Verb } from '../registry/operation.ts';

/** What a request is about, read from its method, path and query alone. */
export type RequestInfo = ResourceRequest | PathRequest;

export interface ResourceRequest {
  readonly type: 'resource';
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For `proxy`: what comes after it, slashes included, because they matter to what is behind the proxy. */
  readonly rest: string;
}

/** A path outside the resources: health, discovery, OpenAPI. */
export interface PathRequest {
  readonly type: 'path';
  /** The method in lower case. */
  readonly verb: string;
  readonly path: string;
}

/** What a request needs leave for, whoever asks. */
export function accessOf(info: RequestInfo): Omit<AccessAttributes, 'user'> {
  if (info.type === 'path') {
    const { verb, path } = info;
    return { verb, path, group: '', version: '', resource: '', subresource: '', namespace: '', name: '' };
  }
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return { verb, group, version, resource, subresource, namespace, name, path: '' };
}

/** Subresources of a namespace itself; any other word after its name is a resource in it. */
const namespaceSubresources = new Set(['status', 'finalize']);

/** The decoded path and the query of a request's target. @throws ApiError 400 for percent signs that mean nothing. */
export function requestTarget(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  try {
    return {
      path: raw.includes('%') ? decodeURIComponent(raw) : raw,
      query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    };
  } catch {
    throw new ApiError(400, 'BadRequest', 'invalid percent-encoding in the path');
  }
}

/**
 * Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`.
 * @param path the decoded path without the query.
 */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split('/').filter((part) => part !== '');
  const isCore = parts[0] === 'api';
  const offset = isCore ? 2 : 3;
  if ((!isCore && parts[0] !== 'apis') || parts.length <= offset)
    return { type: 'path', verb: method.toLowerCase(), path };
  const group = isCore ? '' : parts[1]!;
  const version = isCore ? parts[1]! : parts[2]!;
  let rest = parts.slice(offset);
  let isOlderForm = false;
  // The older form: /api/v1/watch/namespaces/default/pods.
  if (rest[0] === 'watch' && rest.length > 1) {
    // It can only be read.
    if (method !== 'GET') return { type: 'path', verb: method.toLowerCase(), path };
    rest = rest.slice(1);
    isOlderForm = true;
  }
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 2 && !namespaceSubresources.has(rest[2]!)) {
    namespace = rest[1]!;
    rest = rest.slice(2);
  }
  const [resource = '', name = '', subresource = '', ...more] = rest;
  const named = name !== '';
  // What is read by its name in the path is read once, whatever else is asked for.
  const watches = isOlderForm || (!named && isTrue(query.get('watch')));
  const verb = verbOf(method, { watches, named });
  const proxied = subresource === 'proxy' ? afterSegments(path, parts.length - more.length) : '';
  if (subresource !== 'proxy' && more.length > 0) return { type: 'path', verb: method.toLowerCase(), path };
  const selected = name === '' && (verb === 'list' || verb === 'watch') ? nameFromFieldSelector(query) : name;
  return { type: 'resource', verb, group, version, resource, subresource, namespace, name: selected, rest: proxied };
}

function verbOf(method: string, { watches, named }: { readonly watches: boolean; readonly named: boolean }): Verb {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    default:
      if (watches) return 'watch';
      return named ? 'get' : 'list';
  }
}

/** What follows the first `count` segments of a path, with its slashes. */
function afterSegments(path: string, count: number): string {
  let at = 0;
  for (let segment = 0; segment < count; segment++) {
    while (path[at] === '/') at++;
    const next = path.indexOf('/', at);
    if (next < 0) return '';
    at = next;
  }
  return path.slice(at);
}

/** A list or watch of exactly one name may be granted by that name. */
function nameFromFieldSelector(query: URLSearchParams): string {
  const text = query.get('fieldSelector');
  if (text === null) return '';
  try {
    return exactField(parseFieldSelector(text), 'metadata.name') ?? '';
  } catch {
    return '';
  }
}

/** How Go reads a boolean query parameter: present and not false. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== 'false' && text !== '0';
}
