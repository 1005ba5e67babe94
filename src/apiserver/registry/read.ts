import { ApiError, badRequest, expired, type FieldError, fieldError, invalid, notFound } from '#machinery/errors.ts';
import { exactField, matchesFields } from '#machinery/fields.ts';
import { matchesLabels } from '#machinery/labels.ts';
import { apiVersionOf, type ListMeta } from '#machinery/meta.ts';
import type { Interest } from '../cache/audience.ts';
import type { ObjectFilter } from '../cache/resource-cache.ts';
import { StoredObject } from '../cache/stored-object.ts';
import { inServedVersion, readyToServe, type ServedResource } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts';
import type { Operation, OperationOptions, Result } from './operation.ts';
import type { Registry } from './registry.ts';

export function getObject(
  registry: Registry,
  { resource, namespace, name, options }: Operation,
): Result | Promise<Result> {
  checkNotFuture(registry, parseResourceVersion(options.resourceVersion, plainly));
  const entry = resource.storage!.cache.get(objectKey({ namespace, name }));
  if (entry === undefined) throw notFound(resource.kind, name);
  const found = (): Result => ({ type: 'object', value: inServedVersion(resource, entry.value), created: false });
  return readyToServe(resource, [entry.value])?.then(found) ?? found();
}

/** A list: from the cache where it is of now, from the store where an older revision or a page is asked for. */
export async function listObjects(registry: Registry, operation: Operation): Promise<Result> {
  const { resource, namespace, options } = operation;
  const { resourceVersionMatch: match } = options;
  checkVersionMatch(options);
  const version = options.resourceVersion ?? '';
  const limit = pageSize(operation);
  const filter = filterOf(operation);
  if (options.continue !== undefined && options.continue !== '') {
    const token = decodeContinue(options.continue);
    if (version !== '' && version !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    return listPage(registry, operation, filter, { token });
  }
  const wanted = parseResourceVersion(options.resourceVersion);
  checkNotFuture(registry, wanted, { isRetried: match !== 'Exact' });
  const exact = wanted !== undefined && wanted > 0 && (match === 'Exact' || (match === undefined && limit > 0));
  if (limit > 0 || exact) return listPage(registry, operation, filter, exact ? { revision: wanted } : {});
  const { cache } = resource.storage!;
  const items: StoredObject[] = [];
  const { revision, counts } = cache;
  const entries = cache.list(namespace === '' ? undefined : namespace);
  const isChoosy = choosesAmong(operation);
  for (const { value, key } of entries) {
    if (!isChoosy || filter(value, key)) items.push(value);
  }
  counts.lists++;
  counts.fetched += entries.length;
  counts.returned += items.length;
  return { type: 'list', items: await allServed(operation, items), metadata: { resourceVersion: String(revision) } };
}

/**
 * Who takes whatever there is takes it from upstream's cache, which gives it whole; only events are not in it. And who
 * asks for one object by its name gets it, whatever a page is.
 */
function pageSize({ resource, namespace, options }: Operation): number {
  const { limit = 0, resourceVersion, fieldSelector = [] } = options;
  if (resourceVersion === '0' && resource.kind.resource !== 'events') return 0;
  return isPlaced(resource, namespace) && exactField(fieldSelector, 'metadata.name') !== undefined ? 0 : limit;
}

/** Whether a name stands for one object, and not for one of each namespace. */
function isPlaced({ kind }: ServedResource, namespace: string): boolean {
  return !kind.namespaced || namespace !== '';
}

/** What `resourceVersionMatch` may be, beside what else is asked for (KEP-1904). */
function checkVersionMatch(options: OperationOptions): void {
  const { resourceVersionMatch: match, resourceVersion, continue: token, sendInitialEvents } = options;
  if (match === undefined && sendInitialEvents === undefined) return;
  const errors: FieldError[] = [];
  const forbid = (why: string, field = versionMatch): unknown => errors.push(fieldError.forbidden(field, why));
  if (match !== undefined) {
    if (resourceVersion === undefined) forbid(`${versionMatch} is forbidden unless resourceVersion is provided`);
    if (token !== undefined) forbid(`${versionMatch} is forbidden when continue is provided`);
    if (match !== 'Exact' && match !== 'NotOlderThan')
      errors.push(fieldError.notSupportedInOrder(versionMatch, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && resourceVersion === '0')
      forbid(`${versionMatch} "exact" is forbidden for resourceVersion "0"`);
  }
  if (sendInitialEvents !== undefined) forbid('sendInitialEvents is forbidden for list', 'sendInitialEvents');
  if (errors.length > 0) throw invalid(listOptions, '', errors);
}

const versionMatch = 'resourceVersionMatch';
const listOptions = { group: 'meta.k8s.io', kind: 'ListOptions' };

/** The same for watches (KEP-3157). */
function checkWatchMatch(options: OperationOptions): void {
  const { resourceVersionMatch: match, continue: token, sendInitialEvents } = options;
  if (match === undefined && sendInitialEvents === undefined) return;
  const errors: FieldError[] = [];
  const forbid = (why: string): unknown => errors.push(fieldError.forbidden(versionMatch, why));
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    forbid(`sendInitialEvents requires setting ${versionMatch} to NotOlderThan`);
  if (match !== undefined) {
    if (sendInitialEvents === undefined)
      forbid(`${versionMatch} is forbidden for watch unless sendInitialEvents is provided`);
    if (match !== 'NotOlderThan') errors.push(fieldError.notSupported(versionMatch, match, ['NotOlderThan']));
    if (token !== undefined) forbid(`${versionMatch} is forbidden when continue is provided`);
  }
  if (errors.length > 0) throw invalid(listOptions, '', errors);
}

/** Who begins a watch where everything is told first asks for that without saying so. */
function withDefaults(options: OperationOptions): OperationOptions {
  const { resourceVersion = '', resourceVersionMatch, sendInitialEvents, continue: token } = options;
  const isPlain = resourceVersionMatch === undefined && sendInitialEvents === undefined;
  // Only who goes on with a list as well meets what upstream makes of it.
  if (!isPlain || token === undefined || (resourceVersion !== '' && resourceVersion !== '0')) return options;
  return { ...options, resourceVersionMatch: 'NotOlderThan', sendInitialEvents: true };
}

/** In place: lists are long. */
async function allServed(operation: Operation, found: StoredObject[]): Promise<StoredObject[]> {
  const { resource } = operation;
  const pending = readyToServe(resource, found);
  if (pending !== undefined) await pending;
  const late = lateFilter(operation);
  const items = late === undefined ? found : found.filter(late);
  for (let index = 0; index < items.length; index++) items[index] = inServedVersion(resource, items[index]!);
  return items;
}

/** One page as of one revision; the continue token carries the revision and the last key. */
async function listPage(
  registry: Registry,
  operation: Operation,
  filter: ObjectFilter,
  { token, revision: exactRevision }: { readonly token?: ContinueToken; readonly revision?: number | undefined },
): Promise<Result> {
  const { resource, namespace, options } = operation;
  const { prefix, cache } = resource.storage!;
  const limit = options.limit ?? 0;
  let after = token === undefined ? '' : prefix + token.key;
  const from = namespace === '' ? prefix : `${prefix}${namespace}/`;
  const inconsistent = token?.revision === -1;
  const revision = inconsistent
    ? registry.store.revision
    : (token?.revision ?? exactRevision ?? registry.store.revision);
  const items: StoredObject[] = [];
  cache.counts.storeLists++;
  for (;;) {
    const page = await registry.store.range(from, {
      after,
      revision,
      ...(limit > 0 ? { limit: limit - items.length } : {}),
    });
    if (page.outcome === 'compacted') throw pageExpired(token?.key);
    cache.counts.storeFetched += page.entries.length;
    for (const entry of page.entries) {
      after = entry.key;
      const value = StoredObject.of(entry.value);
      if (filter(value, entry.key.slice(prefix.length))) items.push(value);
    }
    const isLast = page.remaining === 0 || page.entries.length === 0;
    if (isLast || (limit > 0 && items.length >= limit)) cache.counts.storeReturned += items.length;
    if (isLast) return listOf(await allServed(operation, items), { resourceVersion: String(revision) });
    if (limit > 0 && items.length >= limit) {
      const { labelSelector, fieldSelector = [] } = options;
      const counted = (labelSelector?.requirements.length ?? 0) + fieldSelector.length === 0;
      return listOf(await allServed(operation, items), {
        resourceVersion: String(revision),
        continue: encodeContinue({ revision, key: after.slice(prefix.length) }),
        ...(counted ? { remainingItemCount: page.remaining } : {}),
      });
    }
  }
}

function listOf(items: readonly StoredObject[], metadata: ListMeta): Result {
  return { type: 'list', items, metadata };
}

/** 410, with a token that goes on without the guarantee of one revision where there is a place to go on from. */
function pageExpired(key: string | undefined): ApiError {
  if (key === undefined) return expired('The resourceVersion for the provided list is too old.');
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  const metadata = { continue: encodeContinue({ revision: -1, key }) };
  return Object.assign(error, { status: { ...error.status, metadata } });
}

export async function watchObjects(registry: Registry, operation: Operation): Promise<Result> {
  const { resource, namespace, options, signal } = operation;
  const { cache } = resource.storage!;
  checkWatchMatch(withDefaults(options));
  const filter = filterOf(operation);
  const wanted = parseResourceVersion(options.resourceVersion, plainly);
  const streaming = options.sendInitialEvents === true;
  // Who wants no state waits for what is yet to come.
  if (streaming) checkNotFuture(registry, wanted);
  const sendsState = options.sendInitialEvents ?? (wanted === undefined || wanted === 0);
  const revision = cache.revision;
  const initial: StoredObject[] = [];
  if (sendsState) {
    for (const { value, key } of cache.list(namespace === '' ? undefined : namespace)) {
      if (filter(value, key)) initial.push(value);
    }
  }
  const fromRevision = sendsState || wanted === undefined || wanted === 0 ? revision : wanted;
  const isChoosy = choosesAmong(operation);
  const stream = cache.watch({ fromRevision, filter, interest: interestOf(operation), isChoosy, signal });
  const spread = 1 + registry.environment.random.next();
  return {
    type: 'watch',
    resource,
    watch: {
      initial: await allServed(operation, initial),
      late: lateFilter(operation),
      initialEndsAt: streaming && options.allowWatchBookmarks === true ? revision : undefined,
      stream,
      bookmarks: options.allowWatchBookmarks === true,
      timeoutMs:
        options.timeoutSeconds === undefined || options.timeoutSeconds === 0
          ? registry.minWatchMs * spread
          : options.timeoutSeconds * 1000,
      revision: () => (cache.revision < fromRevision ? 0 : cache.revision),
    },
  };
}

/** Whether the filter asks for more than a namespace or a name. */
function choosesAmong({ options }: Operation): boolean {
  return options.labelSelector !== undefined || options.fieldSelector !== undefined;
}

/** Namespace, name, labels and fields, the cheapest first. */
export function filterOf({ resource, namespace, name, options }: Operation): ObjectFilter {
  const { labelSelector, fieldSelector } = options;
  const prefix = namespace === '' ? '' : `${namespace}/`;
  // A name for all namespaces comes from the selector, which is asked below.
  const exactKey = name !== '' && isPlaced(resource, namespace) ? objectKey({ namespace, name }) : undefined;
  const fieldOf = fieldReader(resource);
  if (fieldSelector !== undefined) for (const { field } of fieldSelector) checkSelectable(resource, field);
  return (value, key) => {
    if (exactKey !== undefined ? key !== exactKey : !key.startsWith(prefix)) return false;
    if (labelSelector !== undefined && !matchesLabels(labelSelector, value.labels)) return false;
    // What a webhook has yet to convert passes for now: see lateFilter.
    if (fieldSelector === undefined || resource.custom?.isReady(value) === false) return true;
    return matchesFields(fieldSelector, (field) => fieldOfKey(field, key) ?? fieldOf(value, field));
  };
}

/** What the key of an object says already, which may itself be on a disk. */
function fieldOfKey(field: string, key: string): string | undefined {
  const slash = key.indexOf('/');
  if (field === 'metadata.name') return key.slice(slash + 1);
  return field === 'metadata.namespace' ? key.slice(0, Math.max(slash, 0)) : undefined;
}

/** The narrowest thing that the filter pins down: one object, a field's value, a namespace. */
function interestOf({ resource, namespace, name, options }: Operation): Interest | undefined {
  const { fieldSelector = [] } = options;
  const { kind, custom } = resource;
  const exactName = name === '' ? exactField(fieldSelector, 'metadata.name') : name;
  if (exactName !== undefined && isPlaced(resource, namespace))
    return { index: 'key', value: objectKey({ namespace, name: exactName }), read: (_, key) => key };
  // Custom objects may have yet to be converted: their fields are not known here.
  const exact = custom === undefined ? fieldSelector.find(({ operator }) => operator === '=') : undefined;
  if (exact !== undefined) {
    const fieldOf = fieldReader(resource);
    const { field, value } = exact;
    return { index: `${kind.version} ${field}`, value, read: (stored) => fieldOf(stored, field) };
  }
  if (namespace === '') return undefined;
  return { index: 'namespace', value: namespace, read: (_, key) => key.slice(0, key.indexOf('/')) };
}

/**
 * The fields once more, for objects that a webhook converts: they are only known after it has answered. Undefined for
 * everything else.
 */
function lateFilter({ resource, options }: Operation): ((value: StoredObject) => boolean) | undefined {
  const { fieldSelector } = options;
  if (fieldSelector === undefined || resource.custom?.convertsLate !== true) return undefined;
  const fieldOf = fieldReader(resource);
  return (value) => matchesFields(fieldSelector, (field) => fieldOf(value, field));
}

function fieldReader(resource: ServedResource): (value: StoredObject, field: string) => string {
  const selectable = resource.rules.selectableFields ?? {};
  return (value, field) => {
    const { object } = inServedVersion(resource, value);
    if (field === 'metadata.name') return object.metadata.name ?? '';
    if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
    return selectable[field]?.(object) ?? '';
  };
}

function checkSelectable(resource: ServedResource, field: string): void {
  if (field === 'metadata.name') return;
  // Kinds with fields of their own know the namespace only where they have one.
  const knowsNamespace = resource.kind.namespaced || resource.rules.selectableFields === undefined;
  if (field === 'metadata.namespace' && knowsNamespace) return;
  if (Object.hasOwn(resource.rules.selectableFields ?? {}, field)) return;
  throw badRequest(notSelectable(resource, field));
}

function notSelectable({ rules, custom, kind }: ServedResource, field: string): string {
  if (rules.selectableFields === undefined && custom === undefined)
    return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
  // Two kinds have words of their own.
  if (kind.kind === 'Job') return `field label ${JSON.stringify(field)} not supported for Job`;
  if (kind.kind === 'ResourceSlice')
    return `field label not supported for ${apiVersionOf(kind)}, Kind=ResourceSlice: ${field}`;
  return `field label not supported: ${field}`;
}

/** Lists refuse with 400; what reads one object, or watches, tells what its parser told it. */
const plainly = (why: string): ApiError => new ApiError(500, '', why);
const ofList = (why: string): ApiError => badRequest(`invalid resource version: ${why}`);

/** @throws ApiError made by `refuse` when it is not a number. */
function parseResourceVersion(text: string | undefined, refuse = ofList): number | undefined {
  if (text === undefined || text === '') return undefined;
  const isNumber = /^\d+$/.test(text);
  if (isNumber && (text.length < 17 || BigInt.asUintN(64, BigInt(text)) === BigInt(text))) return Number(text);
  const shown = JSON.stringify(text);
  const why = isNumber ? 'value out of range' : 'invalid syntax';
  throw refuse(`resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`);
}

/** @param isRetried whether the client is told when to ask again: what is to be exact is for the store to refuse */
function checkNotFuture(registry: Registry, wanted: number | undefined, { isRetried = true } = {}): void {
  const current = registry.store.revision;
  if (wanted === undefined || wanted <= current) return;
  throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    ...(isRetried ? { retryAfterSeconds: 1 } : {}),
  });
}
