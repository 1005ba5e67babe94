import type { Kind } from '#kinds/kind.ts';
import { ApiError, type Status, type StatusReason } from '#machinery/errors.ts';
import { type ApiList, type ApiObject, apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import type {
  Client,
  DeleteOptions,
  Identity,
  ListOptions,
  ObjectRef,
  Patch,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';

/** A call of the Client as the HTTP request that stands for it. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Absent values are left out. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  /** Of the body; JSON unless it is a patch. */
  readonly contentType?: string;
  readonly identity?: Identity | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Carries requests: over HTTP, or straight into an API server in the same process. */
export interface Transport {
  /** The body of a successful answer. Throws ApiError for any other. */
  send(request: ApiRequest): Promise<JsonObject>;
  /** The frames of a watch, ERROR among them. Throws ApiError when the watch is refused. */
  watch(request: ApiRequest): AsyncIterable<WatchFrame>;
}

export interface WatchFrame {
  readonly type: string;
  readonly object: JsonObject;
}

/** Collection, object or subresource path of a kind. */
function pathOf(
  kind: Kind,
  at: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: string | undefined },
): string {
  let path = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  if (kind.namespaced && at.namespace !== undefined && at.namespace !== '') {
    path += `/namespaces/${encodeURIComponent(at.namespace)}`;
  }
  path += `/${kind.resource}`;
  if (at.name !== undefined) path += `/${encodeURIComponent(at.name)}`;
  if (at.subresource !== undefined) path += `/${at.subresource}`;
  return path;
}

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML; the name of the type is what every server since 1.16 knows.
  apply: 'application/apply-patch+yaml',
};

/** The Client whose calls a transport carries. */
export function createClient(transport: Transport, identity?: Identity): Client {
  const send = async <T>(request: ApiRequest): Promise<T> =>
    // The edge where JSON becomes typed: the server has validated it against the kind.
    (await transport.send({ ...request, identity })) as unknown as T;
  const put = <T extends ApiObject>(kind: Kind<T>, object: T, options: WriteOptions = {}, subresource?: string) =>
    send<T>({
      method: 'PUT',
      path: pathOf(kind, { ...placeOf(object), subresource }),
      query: writeQuery(options),
      body: typed(kind, object),
      signal: options.signal,
    });
  return {
    get: (kind, ref, options = {}) =>
      send({
        method: 'GET',
        path: pathOf(kind, ref),
        query: { resourceVersion: options.resourceVersion },
        signal: options.signal,
      }),
    list: <T extends ApiObject>(kind: Kind<T>, options: ListOptions = {}) =>
      send<ApiList<T>>({
        method: 'GET',
        path: pathOf(kind, options),
        query: listQuery(options),
        signal: options.signal,
      }),
    watch: <T extends ApiObject>(kind: Kind<T>, options: WatchOptions = {}) =>
      watchEvents<T>(
        transport.watch({
          method: 'GET',
          path: pathOf(kind, options),
          query: watchQuery(options),
          identity,
          signal: options.signal,
        }),
      ),
    create: (kind, object, options = {}) =>
      send({
        method: 'POST',
        path: pathOf(kind, { namespace: object.metadata.namespace }),
        query: writeQuery(options),
        body: typed(kind, object),
        signal: options.signal,
      }),
    update: (kind, object, options) => put(kind, object, options),
    updateStatus: (kind, object, options) => put(kind, object, options, 'status'),
    patch: (kind, ref, patch, options = {}) =>
      send({
        method: 'PATCH',
        path: pathOf(kind, { ...ref, subresource: options.subresource }),
        query: patchQuery(patch, options),
        body: patch.type === 'json' ? patch.operations : patch.body,
        contentType: patchTypes[patch.type],
        signal: options.signal,
      }),
    delete: (kind, ref, options = {}) =>
      send({ method: 'DELETE', path: pathOf(kind, ref), query: {}, body: deleteBody(options), signal: options.signal }),
    async deleteCollection(kind, options = {}) {
      const path = pathOf(kind, options);
      const query = listQuery(options);
      await send({ method: 'DELETE', path, query, body: deleteBody(options), signal: options.signal });
    },
    getSubresource: (kind, ref, subresource, options = {}) =>
      send({ method: 'GET', path: pathOf(kind, { ...ref, subresource }), query: {}, signal: options.signal }),
    createSubresource: (kind, ref, subresource, body, options = {}) =>
      sendBody('POST', kind, ref, subresource, body, options),
    updateSubresource: (kind, ref, subresource, body, options = {}) =>
      sendBody('PUT', kind, ref, subresource, body, options),
    as: (other) => createClient(transport, other),
  };

  function sendBody(
    method: 'POST' | 'PUT',
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options: WriteOptions,
  ): Promise<JsonObject> {
    const path = pathOf(kind, { ...ref, subresource });
    return send({ method, path, query: writeQuery(options), body, signal: options.signal });
  }
}

/** The Status of a failed answer, also where a proxy on the way wrote something else. */
export function errorFrom(code: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status') {
    const status = body as Status;
    return ApiError.fromStatus({ ...status, code: status.code ?? code });
  }
  // Go's servers say of a path that leads nowhere what no reader understands.
  if (code === 404 && typeof body === 'string' && body.trim() === '404 page not found')
    return new ApiError(404, 'NotFound', 'the server could not find the requested resource');
  const text = typeof body === 'string' && body.trim() !== '' ? body.trim() : `the server answered ${code}`;
  return new ApiError(code, reasons[code] ?? '', text);
}

const reasons: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

async function* watchEvents<T extends ApiObject>(frames: AsyncIterable<WatchFrame>): AsyncGenerator<WatchEvent<T>> {
  for await (const frame of frames) {
    if (frame.type === 'ERROR') throw errorFrom(500, frame.object);
    yield frame as unknown as WatchEvent<T>;
  }
}

function placeOf(object: ApiObject): { readonly namespace: string | undefined; readonly name: string } {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' };
}

function typed<T extends ApiObject>(kind: Kind<T>, object: T): object {
  return { ...object, apiVersion: object.apiVersion ?? apiVersionOf(kind), kind: object.kind ?? kind.kind };
}

function writeQuery(options: WriteOptions): ApiRequest['query'] {
  return {
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
  };
}

function patchQuery(patch: Patch, options: PatchOptions): ApiRequest['query'] {
  return { ...writeQuery(options), force: patch.type === 'apply' && patch.force === true ? 'true' : undefined };
}

function listQuery(options: ListOptions): ApiRequest['query'] {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit?.toString(),
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  };
}

function watchQuery(options: WatchOptions): ApiRequest['query'] {
  const initial = options.sendInitialEvents;
  return {
    watch: 'true',
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    allowWatchBookmarks: options.allowWatchBookmarks === true ? 'true' : undefined,
    sendInitialEvents: initial?.toString(),
    resourceVersionMatch: initial === undefined ? undefined : 'NotOlderThan',
    timeoutSeconds: options.timeoutSeconds?.toString(),
  };
}

function deleteBody(options: DeleteOptions): object {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: options.gracePeriodSeconds,
    propagationPolicy: options.propagationPolicy,
    preconditions: options.preconditions,
    dryRun: options.dryRun === true ? ['All'] : undefined,
  };
}
