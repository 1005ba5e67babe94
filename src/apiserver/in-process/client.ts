import type {
  CallOptions,
  Client,
  DeleteOptions,
  GetOptions,
  ListOptions,
  ObjectRef,
  Patch,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '#client/client.ts';
import type { Kind } from '#kinds/kind.ts';
import { cloneJson, cloneObject } from '#machinery/clone.ts';
import { conform } from '#machinery/conform.ts';
import { ApiError } from '#machinery/errors.ts';
import { parseFieldSelector } from '#machinery/fields.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import { type ApiList, type ApiObject, apiVersionOf, type Json, type JsonObject } from '#machinery/meta.ts';
import type { Operation, OperationOptions, Result, UserInfo } from '../registry/operation.ts';
import { copyOf } from '../registry/sent.ts';
import { inServedVersion, type ServedResource } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { ApiServer } from '../server.ts';
import { hasMany, ServedWatch } from './served-watch.ts';

const never = new AbortController().signal;
/** What is asked, beside what for. */
interface Request {
  readonly subresource?: string;
  readonly body?: unknown;
  readonly options?: OperationOptions;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A Client that calls the server's pipeline directly: no sockets and no serialisation, but the same authorisation,
 * admission and rules as over HTTPS.
 */
export class InProcessClient implements Omit<Client, 'as'> {
  readonly #server: ApiServer;
  readonly #user: UserInfo;

  constructor(server: ApiServer, user: UserInfo) {
    this.#server = server;
    this.#user = user;
  }

  get<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options: GetOptions = {}): Promise<T> {
    const { resourceVersion, signal } = options;
    const asked = { options: resourceVersion === undefined ? {} : { resourceVersion }, signal };
    return this.#run(kind, 'get', ref, asked).then(objectOf<T>);
  }

  async list<T extends ApiObject>(kind: Kind<T>, options: ListOptions = {}): Promise<ApiList<T>> {
    const result = await this.#run(
      kind,
      'list',
      { name: '', namespace: options.namespace },
      { options: readOptions(options), signal: options.signal },
    );
    if (result.type !== 'list') throw new Error(`list answered ${result.type}`);
    const isLarge = hasMany(this.#server.resources.of(kind));
    const items = result.items.map((item) => (isLarge ? item.lean : item.object) as T);
    return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata: result.metadata, items };
  }

  /**
   * Lasts until the signal or the server ends it: `timeoutSeconds` spreads connections over servers, and there is neither
   * a connection nor another server here.
   */
  watch<T extends ApiObject>(kind: Kind<T>, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    const asked = { options: readOptions(options), signal: options.signal };
    return new ServedWatch<T>(this.#server.environment.clock, async () => {
      const result = await this.#run(kind, 'watch', { name: '', namespace: options.namespace }, asked);
      if (result.type !== 'watch') throw new Error(`watch answered ${result.type}`);
      return result;
    });
  }

  create<T extends ApiObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name = '' } = object.metadata;
    const body = typed(kind, object);
    const asked = { body, options: writeOptions(options), signal: options.signal };
    return this.#run(kind, 'create', { name, namespace }, asked).then(objectOf<T>);
  }

  update<T extends ApiObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#replace(kind, object, '', options).then(objectOf<T>);
  }

  updateStatus<T extends ApiObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#replace(kind, object, 'status', options).then(objectOf<T>);
  }

  #replace(kind: Kind, object: ApiObject, subresource: string, options: WriteOptions): Promise<Result> {
    const { namespace, name = '' } = object.metadata;
    return this.#run(
      kind,
      'update',
      { name, namespace },
      { subresource, body: typed(kind, object), options: writeOptions(options), signal: options.signal },
    );
  }

  patch<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch, options: PatchOptions = {}): Promise<T> {
    const body = cloneJson(patch.type === 'json' ? patch.operations : patch.body);
    const force = patch.type === 'apply' ? { force: patch.force === true } : {};
    const asked = {
      subresource: options.subresource ?? '',
      body,
      options: { ...writeOptions(options), patchType: patch.type, ...force },
      signal: options.signal,
    };
    return this.#run(kind, 'patch', ref, asked).then(objectOf<T>);
  }

  async delete<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}): Promise<JsonObject> {
    return plain(await this.#run(kind, 'delete', ref, { options: deletionOptions(options), signal: options.signal }));
  }

  async deleteCollection<T extends ApiObject>(kind: Kind<T>, options: ListOptions & DeleteOptions = {}): Promise<void> {
    const merged = { ...readOptions(options), ...deletionOptions(options) };
    await this.#run(
      kind,
      'deletecollection',
      { name: '', namespace: options.namespace },
      { options: merged, signal: options.signal },
    );
  }

  async getSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    options: CallOptions = {},
  ): Promise<JsonObject> {
    return plain(await this.#run(kind, 'get', ref, { subresource, signal: options.signal }));
  }

  createSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options: WriteOptions = {},
  ): Promise<JsonObject> {
    return this.#writeSubresource(kind, 'create', ref, subresource, body, options);
  }

  updateSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options: WriteOptions = {},
  ): Promise<JsonObject> {
    return this.#writeSubresource(kind, 'update', ref, subresource, body, options);
  }

  async #writeSubresource(
    kind: Kind,
    verb: 'create' | 'update',
    ref: ObjectRef,
    subresource: string,
    body: object,
    options: WriteOptions,
  ): Promise<JsonObject> {
    const { signal } = options;
    return plain(
      await this.#run(kind, verb, ref, { subresource, body: cloneJson(body), options: writeOptions(options), signal }),
    );
  }

  #run(kind: Kind, verb: Operation['verb'], ref: ObjectRef, request: Request): Promise<Result> {
    const { group, version, resource: plural } = kind;
    const resource = this.#server.resources.known(group, version, plural);
    if (resource !== undefined) return this.#runOn(resource, verb, ref, request);
    return this.#server.awaitedResource(group, version, plural).then((awaited) => {
      if (awaited === undefined)
        throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
      return this.#runOn(awaited, verb, ref, request);
    });
  }

  #runOn(resource: ServedResource, verb: Operation['verb'], ref: ObjectRef, request: Request): Promise<Result> {
    const { subresource = '', body, options = {}, signal = never } = request;
    const namespace = resource.kind.namespaced ? (ref.namespace ?? '') : '';
    // What a client over HTTP sends takes this form by being decoded: one form in the store, whoever wrote.
    const isWhole = verb !== 'patch' && (subresource === '' || subresource === 'status');
    let conformed = body;
    try {
      if (isWhole && body !== undefined) conformed = decoded(body as ApiObject, resource, subresource);
    } catch (error) {
      return Promise.reject(error);
    }
    const operation: Operation = {
      verb,
      resource,
      subresource,
      namespace,
      name: ref.name,
      user: this.#user,
      options,
      body: conformed,
      signal,
      warn: ignore,
    };
    const { clientMetrics } = this.#server;
    if (clientMetrics === undefined) return this.#server.execute(operation);
    return clientMetrics.measure(verb, () => this.#server.execute(operation));
  }
}

function objectOf<T extends ApiObject>(result: Result): T {
  if (result.type === 'object') return result.value.object as T;
  if (result.type === 'plain') return result.object as unknown as T;
  // A write that removed the last finalizer answers with the object's end.
  throw new Error(`expected an object, got ${result.type}`);
}

function ignore(): void {}

/** The object, saying what it is. */
function typed(kind: Kind, object: ApiObject): ApiObject {
  const type = { kind: kind.kind, apiVersion: apiVersionOf(kind) };
  return Object.assign({ ...type }, object, type);
}

/** A copy that the server may change, in the form that decoding gives. */
function decoded(object: ApiObject, resource: ServedResource, subresource: string): ApiObject {
  const { custom, schema, storage } = resource;
  if (custom !== undefined) return cloneObject(custom.conform(object as unknown as Json).value as unknown as ApiObject);
  // Whoever writes has mostly read before, and what it did not change is the cache's own.
  const { namespace = '', name = '' } = object.metadata;
  const entry = storage?.cache.get(objectKey({ namespace: resource.kind.namespaced ? namespace : '', name }));
  const current = entry && inServedVersion(resource, entry.value).object;
  const { value } = conform(object, schema, { known: current as unknown as JsonObject });
  return copyOf({ subresource }, value as unknown as ApiObject, current);
}

function plain(result: Result): JsonObject {
  switch (result.type) {
    case 'object':
      return result.value.object as unknown as JsonObject;
    case 'plain':
      return result.object;
    case 'status':
      return result.status as unknown as JsonObject;
    case 'list':
    case 'watch':
      throw new Error(`expected one object, got a ${result.type}`);
  }
}

function readOptions(options: ListOptions & WatchOptions): OperationOptions {
  const {
    labelSelector,
    fieldSelector,
    limit,
    resourceVersion,
    resourceVersionMatch,
    allowWatchBookmarks,
    sendInitialEvents,
    timeoutSeconds,
  } = options;
  return {
    ...(labelSelector === undefined || labelSelector === ''
      ? {}
      : { labelSelector: parseLabelSelector(labelSelector) }),
    ...(fieldSelector === undefined || fieldSelector === ''
      ? {}
      : { fieldSelector: parseFieldSelector(fieldSelector) }),
    ...(limit === undefined ? {} : { limit }),
    ...(options.continue === undefined ? {} : { continue: options.continue }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(resourceVersionMatch === undefined ? {} : { resourceVersionMatch }),
    ...(allowWatchBookmarks === undefined ? {} : { allowWatchBookmarks }),
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents, resourceVersionMatch: 'NotOlderThan' }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  };
}

function writeOptions({ dryRun, fieldManager, fieldValidation }: WriteOptions): OperationOptions {
  return {
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(fieldManager === undefined ? {} : { fieldManager }),
    ...(fieldValidation === undefined ? {} : { fieldValidation }),
  };
}

function deletionOptions({
  gracePeriodSeconds,
  propagationPolicy,
  preconditions,
  dryRun,
}: DeleteOptions): OperationOptions {
  return {
    deletion: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
    ...(dryRun === undefined ? {} : { dryRun }),
  };
}
