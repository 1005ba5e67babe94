import { randomSuffix, randomUuid } from '#base/random.ts';
import { cloneJson } from '#machinery/clone.ts';
import { emptyOf } from '#machinery/conform.ts';
import { ApiError, alreadyExists, badRequest, invalid, isReason } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { type AdmissionAttributes, takeBack } from '../admission/plugin.ts';
import { StoredObject } from '../cache/stored-object.ts';
import { hasSeparateStatus, inStorageVersion, type ServedResource } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { withAllocation } from './allocation.ts';
import { problemsOfNew, saidKind } from './check.ts';
import { trackOwnership } from './managed-fields.ts';
import type { Operation, Result } from './operation.ts';
import { hookOf, lifetimeOf, type Registry, ruleContext } from './registry.ts';
import { forKeeping } from './sent.ts';
import { stored } from './stored.ts';

/** Attempts to find a free name for `generateName` (KEP-4420). */
const maxNameAttempts = 8;
/** Names are cut so that the suffix fits. */
const maxGeneratedBase = 58;

export interface CreateOptions {
  /** The caller has noted who owns what (server-side apply). */
  readonly managesFields?: boolean;
}

/** POST: a new object, from what the client sent to what the store holds. */
export async function createObject(
  registry: Registry,
  operation: Operation,
  { managesFields = false }: CreateOptions = {},
): Promise<Result> {
  const { resource } = operation;
  const object = operation.body as Mutable<ApiObject>;
  const { resourceVersion: saidVersion = '' } = object.metadata;
  cleanNew(operation, object);
  resource.rules.defaults?.(object);
  const tracked = managesFields ? undefined : trackOwnership(registry, operation, object, undefined);
  if (tracked !== undefined) await tracked;
  const attributes = { operation: 'CREATE', request: operation, object, oldObject: undefined } as const;
  const mutated = registry.admission.mutate(registry, attributes);
  if (mutated !== undefined) await mutated;
  const hook = hookOf(registry, resource);
  if (hook?.admit !== undefined) await hook.admit(registry, operation, object, undefined);
  resource.rules.defaults?.(object);
  const { name = '', generateName = '' } = object.metadata;
  if (resource.rules.keepsGenerateName === true && name === '' && generateName !== '')
    object.metadata.name = generateName;
  if ((object.metadata.name ?? '') !== '' || generateName === '')
    return await createNamed(registry, operation, object, saidVersion);
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt < maxNameAttempts ? cloneJson(object) : object;
    candidate.metadata.name = `${generateName.slice(0, maxGeneratedBase)}${randomSuffix(registry.environment.random)}`;
    try {
      return await createNamed(registry, operation, candidate, saidVersion);
    } catch (error) {
      if (!isReason(error, 'AlreadyExists') || attempt === maxNameAttempts) throw error;
    }
  }
}

function createNamed(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  saidVersion: string,
): Promise<Result> {
  object.metadata.uid = randomUuid(registry.environment.random);
  object.metadata.creationTimestamp = formatTime(registry.environment.clock.now());
  return withAllocation(registry, operation, object, undefined, () =>
    checkAndStore(registry, operation, object, saidVersion),
  );
}

async function checkAndStore(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  saidVersion: string,
): Promise<Result> {
  const { resource } = operation;
  if (hasSeparateStatus(resource) && resource.rules.keepsStatusOnCreate !== true) clearStatus(resource, object);
  prepare(registry, operation, object);
  checkValid(registry, operation, object);
  const attributes: AdmissionAttributes = { operation: 'CREATE', request: operation, object, oldObject: undefined };
  const validated = registry.admission.validate(registry, attributes);
  if (validated !== undefined) await validated;
  try {
    return await store(registry, operation, object, saidVersion);
  } catch (error) {
    takeBack(attributes);
    throw error;
  }
}

/** What only the server writes: a client's values are dropped. A version stays until there is another. */
const systemFields = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
] as const;

/** What arrives to be created, without what is not the client's to say. Throws where it does not belong to the path. */
export function cleanNew(operation: Operation, object: Mutable<ApiObject>): void {
  checkIdentity(operation, object);
  for (const field of systemFields) delete object.metadata[field];
}

/** The request's path and the object's metadata must agree; the path wins where the object says nothing. */
function checkIdentity({ resource, namespace, name }: Operation, object: Mutable<ApiObject>): void {
  const { metadata } = object;
  if (resource.kind.namespaced) {
    if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    metadata.namespace = namespace;
  } else {
    // What has no namespace is not said to have one, whatever the client says.
    delete metadata.namespace;
  }
  if (name !== '' && metadata.name === undefined) metadata.name = name;
  if (metadata.name === '') delete metadata.name;
}

/** A new object has no status of the client's making; kinds that always write one start with an empty one. */
function clearStatus({ schema }: ServedResource, object: Mutable<ApiObject>): void {
  const field = schema.fields.get('status');
  const status = field?.presence === 'always' ? emptyOf(field.schema) : undefined;
  if (status === undefined) delete (object as { status?: unknown }).status;
  else (object as { status?: unknown }).status = status;
}

function prepare(registry: Registry, { resource, warn }: Operation, object: Mutable<ApiObject>): void {
  if (resource.rules.hasGeneration ?? hasSeparateStatus(resource)) object.metadata.generation = 1;
  resource.rules.prepareForCreate?.(object, ruleContext(registry, warn));
}

function checkValid(registry: Registry, operation: Operation, object: ApiObject): void {
  const { resource, warn } = operation;
  const first = hookOf(registry, resource)?.problems?.(registry, operation, object, undefined);
  const errors = problemsOfNew(resource, object, ruleContext(registry), first);
  if (errors.length > 0) throw invalid(saidKind(resource, object), object.metadata.name ?? '', errors);
  for (const text of resource.rules.warnings?.(object, undefined) ?? []) warn(text);
}

async function store(
  registry: Registry,
  operation: Operation,
  sent: Mutable<ApiObject>,
  saidVersion: string,
): Promise<Result> {
  const { resource, options } = operation;
  const storage = resource.storage!;
  const name = sent.metadata.name ?? '';
  const key = objectKey({ namespace: sent.metadata.namespace, name });
  // What is no version is taken for none.
  if (options.dryRun !== true && /^0*[1-9]\d*$/.test(saidVersion))
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  if (storage.cache.get(key) !== undefined) throw alreadyExists(resource.kind, name);
  resource.rules.prepareForStorage?.(sent);
  const object = forKeeping(operation, sent);
  if (options.dryRun === true) {
    // Nobody looks at it who does not store the object.
    if (saidVersion !== '') object.metadata.resourceVersion = saidVersion;
    return { type: 'object', value: StoredObject.ofObject(object), created: true };
  }
  hookOf(registry, resource)?.decide?.(registry, object, undefined);
  const converted = inStorageVersion(resource, object);
  const kept = (converted instanceof Promise ? await converted : converted) as Mutable<ApiObject>;
  const result = await registry.store.commit({
    key: storage.prefix + key,
    expectedRevision: 0,
    ...lifetimeOf(registry, resource),
    value: (revision) => {
      kept.metadata.resourceVersion = String(revision);
      return StoredObject.ofObject(kept);
    },
  });
  if (result.outcome === 'conflict') throw alreadyExists(resource.kind, name);
  return stored(resource, result.value!, { created: true });
}
