import type { Kind } from '#kinds/kind.ts';
import type { ApiList, ApiObject, Json, JsonObject, ListMeta } from '#machinery/meta.ts';

/**
 * The one door to the API for controllers, the scheduler, the kubelet, the command line and tests. The same interface
 * over HTTP and in process. Every call throws ApiError for an answer that is a failure Status, and the signal's
 * reason when `signal` aborts. Objects that come back are shared and deeply readonly.
 */
export interface Client {
  get<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options?: GetOptions): Promise<T>;
  list<T extends ApiObject>(kind: Kind<T>, options?: ListOptions): Promise<ApiList<T>>;
  /** Events from `resourceVersion` on, until the server or the signal ends it. Throws ApiError 410 when too old. */
  watch<T extends ApiObject>(kind: Kind<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Namespace is taken from `object.metadata.namespace`. */
  create<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  /** PUT, with the object's resourceVersion as precondition when it has one. */
  update<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends ApiObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, patch: Patch, options?: PatchOptions): Promise<T>;
  /** Resolves with the object when it still exists (finalizers, grace), else with a Status. */
  delete<T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<JsonObject>;
  deleteCollection<T extends ApiObject>(kind: Kind<T>, options?: ListOptions & DeleteOptions): Promise<void>;
  /** A named subresource: `scale`, `eviction`, `binding`, `token`, `approval`, … */
  getSubresource(kind: Kind, ref: ObjectRef, subresource: string, options?: CallOptions): Promise<JsonObject>;
  createSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options?: WriteOptions,
  ): Promise<JsonObject>;
  updateSubresource(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: object,
    options?: WriteOptions,
  ): Promise<JsonObject>;
  /** The same door as another user (impersonation), for example a controller's own service account. */
  as(identity: Identity): Client;
}

export interface ObjectRef {
  readonly name: string;
  readonly namespace?: string | undefined;
}

export interface Identity {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  readonly resourceVersion?: string;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface WatchOptions extends CallOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'strategic'; readonly body: object }
  | { readonly type: 'apply'; readonly body: object; readonly force?: boolean };

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export type WatchEvent<T extends ApiObject = ApiObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Progress: everything up to this resourceVersion has been sent. */
  | {
      readonly type: 'BOOKMARK';
      readonly object: { readonly metadata: ListMeta & { readonly annotations?: Readonly<Record<string, string>> } };
    };
