import type { Kind } from '#kinds/kind.ts';
import { cloneJson } from '#machinery/clone.ts';
import { conflict, notFound, type Status } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import type { CachedEntry } from '../cache/resource-cache.ts';
import { StoredObject } from '../cache/stored-object.ts';
import { hasSeparateStatus, inServedVersion, readyToServe, type ServedResource } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { deleteUnreadable } from './delete-unreadable.ts';
import { modified } from './modified.ts';
import type { DeletionOptions, Operation, Result } from './operation.ts';
import { hookOf, type Registry } from './registry.ts';

const maxAttempts = 32;

/** Kinds whose immediate deletion answers with the object instead of a Status, as upstream's do. */
const answersWithObject = new Set([
  'pods',
  'podtemplates',
  'services',
  'serviceaccounts',
  'persistentvolumes',
  'persistentvolumeclaims',
  'resourcequotas',
  'namespaces',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
  'deviceclasses.resource.k8s.io',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'resourceslices.resource.k8s.io',
]);

export interface DeleteOptions {
  /** Admission has judged the request already, as that of an eviction. */
  readonly admission?: false;
}

/** DELETE of one object: at once, after a grace period, or when its finalizers are gone. */
export async function deleteObject(
  registry: Registry,
  operation: Operation,
  deleteOptions: DeleteOptions = {},
): Promise<Result> {
  const { resource, name, namespace } = operation;
  const storage = resource.storage!;
  const key = objectKey({ namespace, name });
  if (operation.options.deletion?.ignoreStoreReadErrorWithClusterBreakingPotential === true)
    return deleteUnreadable(registry, operation, key);
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const entry = storage.cache.get(key);
    if (entry === undefined) throw notFound(resource.kind, name);
    const outcome = await attemptDelete(registry, operation, entry, deleteOptions);
    if (outcome !== 'lost') return outcome;
  }
  throw modified(operation);
}

async function attemptDelete(
  registry: Registry,
  operation: Operation,
  entry: CachedEntry,
  { admission }: DeleteOptions,
): Promise<Result | 'lost'> {
  const { resource, options } = operation;
  const deletion = options.deletion ?? {};
  const old = (await servedValue(resource, entry.value)).object;
  checkDeletionPreconditions(operation, deletion.preconditions, old);
  if (admission !== false) {
    const attributes = { operation: 'DELETE', request: operation, object: undefined, oldObject: old } as const;
    await registry.admission.check(registry, attributes);
  }
  const warning = resource.rules.deletionWarning?.(deletion);
  if (warning !== undefined) operation.warn(warning);
  const next = markDeleted(registry, operation, cloneJson(entry.value.object) as Mutable<ApiObject>, deletion);
  if (next === 'remove') {
    const last = entry.value.object;
    const ends = resource.rules.gracePeriodSeconds !== undefined;
    const shown = ends ? markedAtOnce(last, formatTime(registry.environment.clock.now())) : last;
    return removeObject(registry, operation, entry, last, shown);
  }
  if (next === 'unchanged') return { type: 'object', value: await servedValue(resource, entry.value), created: false };
  if (options.dryRun === true)
    return { type: 'object', value: await servedValue(resource, StoredObject.ofObject(next)), created: false };
  const result = await registry.store.commit({
    key: resource.storage!.prefix + entry.key,
    expectedRevision: entry.revision,
    value: (revision) => {
      next.metadata.resourceVersion = String(revision);
      return StoredObject.ofObject(next);
    },
  });
  if (result.outcome === 'conflict') return 'lost';
  return { type: 'object', value: await servedValue(resource, StoredObject.of(result.value!)), created: false };
}

async function servedValue(resource: ServedResource, value: StoredObject): Promise<StoredObject> {
  const pending = readyToServe(resource, [value]);
  if (pending !== undefined) await pending;
  return inServedVersion(resource, value);
}

/** @throws ApiError 409 when the object is not the one that shall go. */
export function checkDeletionPreconditions(
  { resource, name }: Operation,
  preconditions: DeletionOptions['preconditions'],
  old: ApiObject,
): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const { group, kind } = resource.kind;
  const refuse = (what: string, asked: string, found: string | undefined, perhaps: string): never => {
    const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${found})`;
    // Upstream names the kind here, where it names the resource everywhere else.
    throw conflict({ group, resource: kind }, name, `${why}. The object might have been ${perhaps}`);
  };
  const { metadata } = old;
  if (uid !== undefined && uid !== metadata.uid) refuse('UID', uid, metadata.uid, 'deleted and then recreated');
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    refuse('ResourceVersion', resourceVersion, metadata.resourceVersion, 'modified');
}

/** The object as it waits for its end, or that nothing is left to wait for. */
function markDeleted(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  deletion: DeletionOptions,
): Mutable<ApiObject> | 'remove' | 'unchanged' {
  const { resource } = operation;
  const finalizers = registry.collectsGarbage
    ? deletionFinalizers(operation, object, deletion)
    : [...(object.metadata.finalizers ?? [])];
  const { deletionFinalizer } = resource.rules;
  const begins = object.metadata.deletionTimestamp === undefined;
  if (deletionFinalizer !== undefined && begins && !finalizers.includes(deletionFinalizer))
    finalizers.push(deletionFinalizer);
  const finalizersChanged = finalizers.join() !== (object.metadata.finalizers ?? []).join();
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
  const isHeld = finalizers.length > 0 || resource.rules.keepsFromDeletion?.(object) === true;
  const graceSeconds = resource.rules.gracePeriodSeconds?.(object, deletion.gracePeriodSeconds);
  const current = object.metadata.deletionTimestamp;
  if (current !== undefined) {
    const remaining = object.metadata.deletionGracePeriodSeconds ?? 0;
    // A second deletion can only shorten the wait.
    const shorter =
      graceSeconds === undefined
        ? deletion.gracePeriodSeconds === 0
          ? 0
          : remaining
        : Math.min(graceSeconds, remaining);
    if (shorter <= 0 && !isHeld) return 'remove';
    if (shorter >= remaining && !finalizersChanged) return 'unchanged';
    const due = Date.parse(current) - (remaining - shorter) * 1000;
    object.metadata.deletionTimestamp = formatTime(due);
    object.metadata.deletionGracePeriodSeconds = shorter;
    return object;
  }
  if ((graceSeconds ?? 0) <= 0 && !isHeld) return 'remove';
  const waitSeconds = Math.max(0, graceSeconds ?? 0);
  object.metadata.deletionTimestamp = formatTime(registry.environment.clock.now() + waitSeconds * 1000);
  if (resource.rules.endsQuietly !== true) {
    object.metadata.deletionGracePeriodSeconds = waitSeconds;
    if (hasSeparateStatus(resource) && object.metadata.generation !== undefined) object.metadata.generation += 1;
  }
  resource.rules.beginDeletion?.(object, registry.environment.clock.now());
  return object;
}

const orphan = 'orphan';
const foreground = 'foregroundDeletion';

/** Propagation becomes a finalizer that the garbage collector acts on and removes. */
function deletionFinalizers({ resource }: Operation, object: ApiObject, deletion: DeletionOptions): string[] {
  const existing = [...(object.metadata.finalizers ?? [])];
  const policy =
    deletion.propagationPolicy ??
    (deletion.orphanDependents === undefined ? undefined : deletion.orphanDependents ? 'Orphan' : 'Background');
  const others = existing.filter((finalizer) => finalizer !== orphan && finalizer !== foreground);
  switch (policy) {
    case 'Orphan':
      return [...others, orphan];
    case 'Foreground':
      return [...others, foreground];
    case 'Background':
      return others;
    default:
      if (existing.includes(orphan) || existing.includes(foreground)) return existing;
      return resource.rules.defaultPropagation === 'Orphan' ? [...others, orphan] : existing;
  }
}

/** What may have a grace period, and has none, is answered as if it had had one. */
function markedAtOnce(object: ApiObject, now: string): ApiObject {
  const { metadata } = object;
  const begins = metadata.deletionTimestamp === undefined && metadata.generation !== undefined;
  const generation = begins ? { generation: metadata.generation! + 1 } : {};
  return { ...object, metadata: { ...metadata, ...generation, deletionTimestamp: now, deletionGracePeriodSeconds: 0 } };
}

/**
 * Takes the object out of the store.
 * @param shown what the client is told of it.
 */
export async function removeObject(
  registry: Registry,
  operation: Operation,
  entry: CachedEntry,
  last: ApiObject,
  shown = last,
): Promise<Result | 'lost'> {
  const { resource, options } = operation;
  if (options.dryRun !== true) {
    const result = await registry.store.commit({
      key: resource.storage!.prefix + entry.key,
      expectedRevision: entry.revision,
      value: undefined,
    });
    if (result.outcome === 'conflict') return 'lost';
    await hookOf(registry, resource)?.afterDelete?.(registry, last);
  }
  const wantsObject = operation.verb !== 'delete' || answersWithObject.has(qualified(resource.kind));
  if (wantsObject)
    return { type: 'object', value: await servedValue(resource, StoredObject.ofObject(shown)), created: false };
  return { type: 'status', status: deletedStatus(operation, last) };
}

/** `pods`, or `deviceclasses.resource.k8s.io` outside the core group. */
function qualified({ group, resource }: Kind): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function deletedStatus({ resource, name }: Operation, last: ApiObject): Status {
  const { group, resource: plural } = resource.kind;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(group === '' ? {} : { group }),
      kind: plural,
      ...(last.metadata.uid === undefined ? {} : { uid: last.metadata.uid }),
    },
  };
}
