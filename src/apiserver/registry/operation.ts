import type { Status } from '#machinery/errors.ts';
import type { FieldSelector } from '#machinery/fields.ts';
import type { ParsedSelector } from '#machinery/labels.ts';
import type { JsonObject, ListMeta } from '#machinery/meta.ts';
import type { RepeatedKeys } from '#machinery/patch/repeated-keys.ts';
import type { Emptied } from '#machinery/sent-empty.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import type { WatchStream } from '../cache/watch-stream.ts';
import type { ServedResource } from '../resources/resource.ts';

/** Who asks, after authentication. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  /** Who really asks, when they act as this user (impersonation). */
  readonly actor?: UserInfo;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection' | 'connect';

/**
 * One request to a resource, decoded and free of HTTP: what the in-process client makes directly and the HTTP front
 * makes from a path, a query and a body.
 */
export interface Operation {
  readonly verb: Verb;
  readonly resource: ServedResource;
  /** '' for the object itself. */
  readonly subresource: string;
  /** '' for cluster-scoped resources and for lists over all namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly options: OperationOptions;
  /** The decoded object of a create or update, owned by the operation; the patch document of a patch. */
  readonly body: unknown;
  readonly signal: AbortSignal;
  /** Adds a `Warning` header. */
  readonly warn: (text: string) => void;
  /** Notes something about the request in the audit log, when there is one. */
  readonly annotate?: ((key: string, value: string) => void) | undefined;
  /** Where webhooks add the milliseconds that they took, where somebody wants to know. */
  readonly timing?: { outsideMs: number };
  /** Whether the client said an empty list or map, which the object does not have. */
  readonly emptied?: Emptied;
}

export interface OperationOptions {
  readonly labelSelector?: ParsedSelector;
  readonly fieldSelector?: FieldSelector;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
  readonly force?: boolean;
  readonly patchType?: PatchType;
  /** What is odd in the text of a patch: told, or refused, with what is odd in the patched object. */
  readonly patchProblems?: readonly string[];
  /** Values in a JSON patch whose text has a key twice. */
  readonly patchRepeats?: RepeatedKeys | undefined;
  readonly deletion?: DeletionOptions;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** The body of a DELETE (meta/v1 DeleteOptions), with query parameters merged in. */
export interface DeletionOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly dryRun?: readonly string[];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /** Delete what cannot be read, whatever depends on its finalizers (KEP-3926). */
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

export type Result =
  | { readonly type: 'object'; readonly value: StoredObject; readonly created: boolean }
  /** An answer that is not kept anywhere: a review, a scale, a token. */
  | { readonly type: 'plain'; readonly object: JsonObject; readonly created: boolean }
  | { readonly type: 'list'; readonly items: readonly StoredObject[]; readonly metadata: ListMeta }
  | { readonly type: 'watch'; readonly watch: WatchResult; readonly resource: ServedResource }
  | { readonly type: 'status'; readonly status: Status };

export interface WatchResult {
  /** Sent before the stream as ADDED events. */
  readonly initial: readonly StoredObject[];
  /** After the initial events, a bookmark at this revision says that they were all. */
  readonly initialEndsAt: number | undefined;
  readonly stream: WatchStream;
  /** What the stream could not know of an event before a webhook had converted its object. */
  readonly late: ((value: StoredObject) => boolean) | undefined;
  /** Send a bookmark now and then. */
  readonly bookmarks: boolean;
  /** The server ends the watch after this long. */
  readonly timeoutMs: number;
  /** Everything up to here has been sent when the stream is empty. */
  readonly revision: () => number;
}
