import type { Kind } from '#kinds/kind.ts';
import type { ApiList, ApiObject, JsonObject } from '#machinery/meta.ts';
import type {
  CallOptions,
  Client,
  DeleteOptions,
  GetOptions,
  Identity,
  ListOptions,
  ObjectRef,
  Patch,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import type { Informer } from './informer.ts';
import { keyFor } from './object-key.ts';

/** The informer that a controller reads a kind from; undefined where it reads none. */
export type InformerOf = <T extends ApiObject>(kind: Kind<T>) => Informer<T> | undefined;

/**
 * Makes a controller read its own writes. An informer lags behind the API server; a controller that counts what the
 * cache shows would create a pod again because the first has not arrived yet. Upstream counts expected events; here
 * the client notes the resourceVersion of each write, and before its next turn a reconcile waits until the caches it
 * reads have reached it. Nothing is to be counted, nothing times out.
 */
export class OwnWrites {
  readonly #informerOf: InformerOf;
  /** Most turns write nothing: what they might note is made when they do. */
  #versions: Map<Informer<never>, string> | undefined;
  #deletions: { readonly informer: Informer<never>; readonly key: string; readonly uid: string }[] | undefined;

  constructor(informerOf: InformerOf) {
    this.#informerOf = informerOf;
  }

  /** A client whose writes are noted here. */
  through(client: Client): Client {
    return new NotingClient(client, this);
  }

  /** Resolves when every informer shows what has been noted so far; undefined when nothing has. */
  visible(signal: AbortSignal): Promise<void> | undefined {
    return this.#versions === undefined && this.#deletions === undefined ? undefined : this.#caughtUp(signal);
  }

  async #caughtUp(signal: AbortSignal): Promise<void> {
    for (const [informer, resourceVersion] of this.#versions ?? []) await informer.caughtUp(resourceVersion, signal);
    for (const { informer, key, uid } of this.#deletions ?? []) await informer.sawDeletion(key, uid, signal);
  }

  note<T extends ApiObject>(kind: Kind<T>, resourceVersion: string | undefined): void {
    const informer = this.#informerOf(kind) as unknown as Informer<never> | undefined;
    if (informer === undefined || resourceVersion === undefined) return;
    this.#versions ??= new Map();
    if (Number(resourceVersion) > Number(this.#versions.get(informer) ?? 0))
      this.#versions.set(informer, resourceVersion);
  }

  noteDeletion<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions): void {
    const informer = this.#informerOf(kind);
    const key = keyFor(ref.namespace, ref.name);
    const uid = options.preconditions?.uid ?? informer?.getByKey(key)?.metadata.uid;
    if (informer === undefined || uid === undefined || options.dryRun === true) return;
    this.#deletions ??= [];
    this.#deletions.push({ informer: informer as unknown as Informer<never>, key, uid });
  }
}

class NotingClient implements Client {
  readonly #client: Client;
  readonly #writes: OwnWrites;

  constructor(client: Client, writes: OwnWrites) {
    this.#client = client;
    this.#writes = writes;
  }

  get<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options?: GetOptions): Promise<T> {
    return this.#client.get(kind, ref, options);
  }

  list<T extends ApiObject>(kind: Kind<T>, options?: ListOptions): Promise<ApiList<T>> {
    return this.#client.list(kind, options);
  }

  watch<T extends ApiObject>(kind: Kind<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return this.#client.watch(kind, options);
  }

  create<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T> {
    return this.#noted(kind, this.#client.create(kind, object, options));
  }

  update<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T> {
    return this.#noted(kind, this.#client.update(kind, object, options));
  }

  updateStatus<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T> {
    return this.#noted(kind, this.#client.updateStatus(kind, object, options));
  }

  patch<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch, options?: PatchOptions): Promise<T> {
    return this.#noted(kind, this.#client.patch(kind, ref, patch, options));
  }

  async delete<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}): Promise<JsonObject> {
    const answer = await this.#client.delete(kind, ref, options);
    this.#writes.noteDeletion(kind, ref, options);
    return answer;
  }

  deleteCollection<T extends ApiObject>(kind: Kind<T>, options?: ListOptions & DeleteOptions): Promise<void> {
    return this.#client.deleteCollection(kind, options);
  }

  getSubresource(kind: Kind, ref: ObjectRef, subresource: string, options?: CallOptions): Promise<JsonObject> {
    return this.#client.getSubresource(kind, ref, subresource, options);
  }

  createSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options?: WriteOptions,
  ): Promise<JsonObject> {
    return this.#client.createSubresource(kind, ref, subresource, body, options);
  }

  async updateSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options?: WriteOptions,
  ): Promise<JsonObject> {
    const answer = await this.#client.updateSubresource(kind, ref, subresource, body, options);
    this.#writes.note(kind, resourceVersionOf(answer));
    return answer;
  }

  as(identity: Identity): Client {
    return this.#writes.through(this.#client.as(identity));
  }

  async #noted<T extends ApiObject>(kind: Kind<T>, write: Promise<T>): Promise<T> {
    const object = await write;
    this.#writes.note(kind, object.metadata.resourceVersion);
    return object;
  }
}

function resourceVersionOf(answer: JsonObject): string | undefined {
  const metadata = answer['metadata'];
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return undefined;
  return typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : undefined;
}
