import { equalMeanings, equalValues } from '#machinery/equality.ts';
import { type fieldError, invalid, notFound } from '#machinery/errors.ts';
import type { ApiObject, GroupVersionKind, Mutable, ObjectMeta } from '#machinery/meta.ts';
import { hasEmptied } from '#machinery/sent-empty.ts';
import { type AdmissionAttributes, takeBack } from '../admission/plugin.ts';
import type { CachedEntry } from '../cache/resource-cache.ts';
import { StoredObject } from '../cache/stored-object.ts';
import {
  hasSeparateStatus,
  inServedVersion,
  inStorageVersion,
  readyToServe,
  type ServedResource,
} from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { withAllocation } from './allocation.ts';
import { problemsOfChange, saidKind } from './check.ts';
import { createObject } from './create.ts';
import { removeObject } from './delete.ts';
import { checkLocation, placeIn } from './location.ts';
import { trackOwnership } from './managed-fields.ts';
import { modified } from './modified.ts';
import type { Operation, Result } from './operation.ts';
import { checkPreconditions } from './preconditions.ts';
import { hookOf, lifetimeOf, type Registry, ruleContext } from './registry.ts';
import { resetMetadataOf } from './reset-fields.ts';
import { copyOf, forKeeping } from './sent.ts';
import { stored } from './stored.ts';

/** Lost races before a request without a precondition gives up. */
const maxAttempts = 32;

/** Makes the new object from the current one; called again when another writer came first. */
export type Transform = (current: ApiObject) => Mutable<ApiObject> | Promise<Mutable<ApiObject>>;

export interface UpdateOptions {
  /** What to do when there is no such object, instead of answering 404. */
  readonly whenAbsent?: () => Promise<Result>;
  /** The field manager tracks this change itself (server-side apply). */
  readonly managesFields?: boolean;
  /** Called instead of the kind's own rules (subresources with rules of their own). */
  readonly rules?: SubresourceRules;
  /** What admission sees instead of the objects; false where it has judged the request already. */
  readonly admission?: AdmissionView | false;
}

/** How admission sees a write through a subresource that has a kind of its own, such as Scale. */
export interface AdmissionView {
  readonly kind: GroupVersionKind;
  readonly of: (object: ApiObject) => ApiObject;
  /** Carries over what admission changed. */
  readonly take: (object: Mutable<ApiObject>, view: ApiObject) => void;
}

/** How a subresource narrows an update. */
export interface SubresourceRules {
  /** Restores what this subresource may not change. */
  /** The change is the system's own doing and does not count as a new generation. */
  readonly keepsGeneration?: boolean;
  readonly prepare: (object: Mutable<ApiObject>, old: ApiObject, registry: Registry) => void;
  readonly validate?: (
    object: ApiObject,
    old: ApiObject,
    registry: Registry,
  ) => readonly ReturnType<typeof fieldError.invalid>[];
}

/** PUT of a whole object, or of its `status`. */
export function replaceObject(registry: Registry, operation: Operation, options: UpdateOptions = {}): Promise<Result> {
  const body = operation.body as Mutable<ApiObject>;
  const { resource } = operation;
  checkLocation(operation, body);
  placeIn(operation, body);
  const mayCreate = resource.rules.allowCreateOnUpdate === true && operation.subresource === '';
  const whenAbsent = mayCreate ? () => createObject(registry, operation) : undefined;
  // With a precondition there is one attempt, which may have the body itself.
  const isConditional = (body.metadata.resourceVersion ?? '') !== '';
  const transform: Transform = (current) => (isConditional ? body : copyOf(operation, body as ApiObject, current));
  return updateObject(registry, operation, transform, {
    ...(whenAbsent === undefined ? {} : { whenAbsent }),
    ...options,
  });
}

/** Read, change, check, compare and swap, until it holds. */
export async function updateObject(
  registry: Registry,
  operation: Operation,
  transform: Transform,
  options: UpdateOptions = {},
): Promise<Result> {
  const { resource, name, namespace } = operation;
  const storage = resource.storage!;
  const key = objectKey({ namespace, name });
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const entry = newest(registry, operation, key) ?? storage.cache.get(key);
    if (entry === undefined) {
      if (options.whenAbsent !== undefined) return options.whenAbsent();
      throw notFound(resource.kind, name);
    }
    const outcome = await attemptUpdate(registry, operation, entry, transform, options);
    if (outcome !== 'lost') return outcome;
    operation.signal.throwIfAborted();
  }
  throw modified(operation);
}

/**
 * The object as a write that is on its way leaves it: writers of one object share the store's next transaction, rather
 * than wait for one each. Only for those who did not say what they want to replace.
 */
function newest({ store }: Registry, { resource, body }: Operation, key: string): CachedEntry | undefined {
  const pending = store.pending?.(resource.storage!.prefix + key);
  if (pending === undefined || namesVersion(body)) return undefined;
  const { value, modRevision } = pending.entry;
  return { key, value: StoredObject.of(value), revision: modRevision };
}

function namesVersion(body: unknown): boolean {
  const { metadata } = (body ?? {}) as { readonly metadata?: { readonly resourceVersion?: unknown } | null };
  return (metadata?.resourceVersion ?? '') !== '';
}

/** Waits for a write that an answer was made from. @returns whether the object is as that write left it. */
async function isDurable(
  { store }: Registry,
  { resource }: Operation,
  { key, revision }: CachedEntry,
): Promise<boolean> {
  const { prefix, cache } = resource.storage!;
  await store.pending?.(prefix + key)?.settled;
  return cache.get(key)?.revision === revision;
}

async function attemptUpdate(
  registry: Registry,
  operation: Operation,
  entry: CachedEntry,
  transform: Transform,
  options: UpdateOptions,
): Promise<Result | 'lost'> {
  const { resource } = operation;
  const pending = readyToServe(resource, [entry.value]);
  if (pending !== undefined) await pending;
  const served = inServedVersion(resource, entry.value);
  const old = served.object;
  const made = transform(old);
  const object = made instanceof Promise ? await made : made;
  const conditional = checkPreconditions(operation, object, old);
  carrySystemFields(object, old);
  resource.rules.defaults?.(object);
  const tracked = options.managesFields === true ? undefined : trackOwnership(registry, operation, object, old);
  if (tracked !== undefined) await tracked;
  const attributes = admissionAttributes(operation, object, old, options);
  if (attributes !== undefined) {
    const mutated = registry.admission.mutate(registry, attributes);
    if (mutated !== undefined) await mutated;
    if (options.admission) options.admission.take(object, attributes.object as ApiObject);
    resource.rules.defaults?.(object);
  }
  const hook = hookOf(registry, resource);
  if (hook?.admit !== undefined) await hook.admit(registry, operation, object, old);
  const outcome = await withAllocation(registry, operation, object, old, () =>
    checkAndSwap(registry, operation, entry, { object, old }, attributes, options),
  );
  if (outcome === 'lost' && conditional) throw modified(operation);
  return outcome;
}

async function checkAndSwap(
  registry: Registry,
  operation: Operation,
  entry: CachedEntry,
  { object, old }: { readonly object: Mutable<ApiObject>; readonly old: ApiObject },
  attributes: AdmissionAttributes | undefined,
  options: UpdateOptions,
): Promise<Result | 'lost'> {
  const { resource } = operation;
  prepare(registry, operation, object, old, options);
  checkValid(registry, operation, object, old, options);
  const validated = attributes && registry.admission.validate(registry, attributes);
  if (validated !== undefined) await validated;
  // A write that changes nothing is none, unless it is to keep the object in another form.
  if (isUnchanged(object, old) && !isStale(registry, resource, entry)) {
    if (!(await isDurable(registry, operation, entry))) return 'lost';
    return { type: 'object', value: inServedVersion(resource, entry.value), created: false };
  }
  let outcome: Result | 'lost' = 'lost';
  try {
    outcome = await swap(registry, operation, entry, object, old);
    return outcome;
  } finally {
    if (outcome === 'lost' && attributes !== undefined) takeBack(attributes);
  }
}

/** Looks at the metadata last: mostly something else has changed. */
function isUnchanged({ metadata, ...rest }: ApiObject, { metadata: oldMetadata, ...old }: ApiObject): boolean {
  return equalValues(rest, old) && equalValues(metadata, oldMetadata);
}

/** Whether the store keeps the object in a form that it would not be given now: another key, another version. */
function isStale(registry: Registry, { storage, custom }: ServedResource, { key, value }: CachedEntry): boolean {
  return registry.isStale(storage!.prefix + key, value) || custom?.isStale(value) === true;
}

function admissionAttributes(
  request: Operation,
  object: Mutable<ApiObject>,
  oldObject: ApiObject,
  { admission }: UpdateOptions,
): AdmissionAttributes | undefined {
  if (admission === false) return undefined;
  if (admission === undefined) return { operation: 'UPDATE', request, object, oldObject };
  return {
    operation: 'UPDATE',
    request,
    object: admission.of(object) as Mutable<ApiObject>,
    oldObject: admission.of(oldObject),
    objectKind: admission.kind,
  };
}

/** What only the server writes stays as it was; what a client may repeat but not change is for validation to judge. */
function carrySystemFields(object: Mutable<ApiObject>, old: ApiObject): void {
  const { metadata } = object;
  for (const field of ['generation', 'resourceVersion', 'creationTimestamp'] as const)
    keep(metadata, old.metadata, field);
  if ((metadata.uid ?? '') === '') keep(metadata, old.metadata, 'uid');
  if (old.metadata.deletionTimestamp !== undefined) keep(metadata, old.metadata, 'deletionTimestamp');
  for (const field of ['deletionGracePeriodSeconds', 'generateName'] as const)
    if (metadata[field] === undefined) keep(metadata, old.metadata, field);
}

function prepare(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  old: ApiObject,
  options: UpdateOptions,
): void {
  const { resource, subresource } = operation;
  const { rules } = resource;
  const next = object as Mutable<ApiObject> & Record<string, unknown>;
  const before = old as ApiObject & Record<string, unknown>;
  const counts =
    subresource !== 'status' &&
    options.rules?.keepsGeneration !== true &&
    (rules.hasGeneration ?? hasSeparateStatus(resource));
  const hasDropped = counts && rules.countsDropped === true && !sameIntent(next, before, operation);
  if (options.rules !== undefined) {
    options.rules.prepare(object, old, registry);
  } else if (subresource === 'status') {
    // Everything but the status and some of the metadata is as it was.
    for (const field of Object.keys(next))
      if (field !== 'status' && field !== 'metadata' && !Object.hasOwn(before, field)) delete next[field];
    for (const field of Object.keys(before))
      if (field !== 'status' && field !== 'metadata') next[field] = before[field];
    for (const field of resetMetadataOf(resource, subresource)) keep(next.metadata, before.metadata, field);
    rules.prepareForStatusUpdate?.(object, old, ruleContext(registry));
  } else {
    if (hasSeparateStatus(resource)) keep(next, before, 'status');
    rules.prepareForUpdate?.(object, old, ruleContext(registry));
  }
  if (hasDropped || (counts && !sameIntent(next, before, operation)))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function keep(target: object, source: object, field: string): void {
  const value = (source as Record<string, unknown>)[field];
  if (value !== undefined) (target as Record<string, unknown>)[field] = value;
  else if (Object.hasOwn(target, field)) delete (target as Record<string, unknown>)[field];
}

/** Whether nothing but metadata and status differs; a custom kind's status is like any field unless it is separate. */
function sameIntent(
  object: Readonly<Record<string, unknown>>,
  old: Readonly<Record<string, unknown>>,
  { resource, emptied }: Operation,
): boolean {
  const { countedMetadata } = resource.rules;
  if (countedMetadata !== undefined) {
    const countedOf = ({ metadata }: typeof object): unknown => (metadata as ObjectMeta)[countedMetadata] ?? {};
    if (!equalValues(countedOf(object), countedOf(old))) return false;
  }
  const isCustom = resource.custom !== undefined;
  const countsStatus = isCustom && !hasSeparateStatus(resource);
  // An empty list in a type of Go is none.
  const isSame = isCustom || resource.rules.holdsJson === true ? equalValues : equalMeanings;
  for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (field === 'metadata' || (field === 'status' && !countsStatus)) continue;
    if (!isSame(object[field], old[field])) return false;
  }
  if (emptied?.isAny !== true) return true;
  const { emptyCounts, emptyFieldCounts } = resource.rules;
  if (emptyFieldCounts !== undefined && hasEmptied(object['spec'], emptyFieldCounts)) return false;
  return emptyCounts !== true || !emptied.isIn(object, ['metadata', 'status']);
}

function checkValid(
  registry: Registry,
  operation: Operation,
  object: ApiObject,
  old: ApiObject,
  options: UpdateOptions,
): void {
  const { resource, subresource, warn } = operation;
  const { rules } = resource;
  const context = ruleContext(registry, warn);
  const isStatus = subresource === 'status';
  const errors = problemsOfChange(resource, {
    object,
    old,
    order: isStatus || options.rules !== undefined ? 'status' : 'update',
    first: hookOf(registry, resource)?.problems?.(registry, operation, object, old),
    whole: () => (rules.validateUpdateOnly === true ? [] : (rules.validate?.(object, context) ?? [])),
    change: () => {
      if (options.rules !== undefined) return options.rules.validate?.(object, old, registry) ?? [];
      if (isStatus) return rules.validateStatusUpdate?.(object, old, context) ?? [];
      return rules.validateUpdate?.(object, old, context) ?? [];
    },
  });
  if (errors.length > 0) throw invalid(saidKind(resource, object), operation.name, errors);
  if (options.rules !== undefined) return;
  const warnings = isStatus ? rules.statusWarnings?.(object) : rules.warnings?.(object, old);
  for (const text of warnings ?? []) warn(text);
}

function swap(
  registry: Registry,
  operation: Operation,
  entry: CachedEntry,
  sent: Mutable<ApiObject>,
  old: ApiObject,
): Promise<Result | 'lost'> | Result {
  const { resource, options } = operation;
  const object = forKeeping(operation, sent);
  if (options.dryRun === true) return { type: 'object', value: StoredObject.ofObject(object), created: false };
  hookOf(registry, resource)?.decide?.(registry, object, old);
  const converted = inStorageVersion(resource, object);
  return converted instanceof Promise
    ? converted.then((kept) => replace(registry, operation, entry, kept))
    : replace(registry, operation, entry, converted);
}

function replace(
  registry: Registry,
  operation: Operation,
  entry: CachedEntry,
  kept: ApiObject,
): Promise<Result | 'lost'> {
  const { resource } = operation;
  if (isFinished(kept.metadata) && resource.rules.keepsFromDeletion?.(kept) !== true)
    return removeObject(registry, operation, entry, kept);
  const write = {
    key: resource.storage!.prefix + entry.key,
    expectedRevision: entry.revision,
    ...lifetimeOf(registry, resource),
    // A retried transform may share this metadata: the revision goes on a copy of it.
    value: (revision: number) =>
      StoredObject.ofObject({ ...kept, metadata: { ...kept.metadata, resourceVersion: String(revision) } }),
  };
  return registry.store
    .commit(write)
    .then((result) => (result.outcome === 'committed' ? stored(resource, result.value!, { created: false }) : 'lost'));
}

/** A deletion that only waited for finalizers ends with the update that removes the last one. */
function isFinished(metadata: ObjectMeta): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}
