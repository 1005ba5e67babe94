import { deprecationOf } from '#kinds/deprecations.ts';
import type { Kind, KindRules } from '#kinds/kind.ts';
import { type ResourceRow, resourceRows, type SubresourceRow } from '#kinds/resources.ts';
import { rulesFor } from '#kinds/rules.ts';
import { type ApiObject, apiVersionOf } from '#machinery/meta.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { Store } from '#storage/store.ts';
import { ResourceCache } from '../cache/resource-cache.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { TableColumn } from '../http/table.ts';
import { converterBetween } from './conversion.ts';
import type { CustomForm } from './custom-form.ts';
import { storageKeyPrefix } from './storage-keys.ts';

/** One resource in one version, as the server offers it. A custom resource is the same value, made at run time. */
export interface ServedResource {
  readonly kind: Kind;
  /** `apps/deployments`, `/pods`: by which tables name resources. */
  readonly groupResource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: ReadonlySet<string>;
  readonly schema: ObjectSchema;
  readonly rules: KindRules;
  readonly subresources: ReadonlyMap<string, SubresourceRow>;
  /** Printer columns of a custom kind; built-in kinds have theirs in the generated table. */
  readonly columns?: readonly TableColumn[];
  /** Undefined for kinds that are only asked, never kept (reviews, bindings). */
  readonly storage: ResourceStorage | undefined;
  /** A warning for everybody who asks for this version. */
  readonly deprecation?: string | undefined;
  /** Set for custom kinds. */
  readonly custom?: CustomForm;
}

/** What all versions of a resource share. */
export interface ResourceStorage {
  /** The version that is kept. */
  readonly kind: Kind;
  readonly prefix: string;
  readonly cache: ResourceCache;
}

/** Whether only the `status` subresource may write the status. */
export function hasSeparateStatus(resource: ServedResource): boolean {
  return resource.rules.separateStatus ?? resource.subresources.has('status');
}

/**
 * The object in the version that the request asked for. Custom kinds that a webhook converts have to be made ready
 * before: see `readyToServe`.
 */
export function inServedVersion(resource: ServedResource, value: StoredObject): StoredObject {
  const { storage, kind, custom } = resource;
  if (custom !== undefined) return custom.served(value);
  if (storage === undefined || sameVersion(storage.kind, kind)) return value;
  const apiVersion = apiVersionOf(kind);
  const byVersion = value.memory === undefined ? undefined : formsOf(value.memory);
  let result = byVersion?.get(apiVersion);
  if (result === undefined) {
    result = StoredObject.ofObject(converterBetween(storage.kind, kind)(value.object));
    byVersion?.set(apiVersion, result);
  }
  return result;
}

/** By an object's place in memory, then by version. */
const converted = new WeakMap<object, Map<string, StoredObject>>();

function formsOf(memory: object): Map<string, StoredObject> {
  let byVersion = converted.get(memory);
  if (byVersion === undefined) {
    byVersion = new Map();
    converted.set(memory, byVersion);
  }
  return byVersion;
}

/** Undefined when these objects can be served at once, as nearly always; else resolves when they can. */
export function readyToServe({ custom }: ServedResource, values: Iterable<StoredObject>): Promise<void> | undefined {
  return custom?.ready(values);
}

/** The object in the version that the store keeps; a promise only where a webhook converts it. */
export function inStorageVersion(resource: ServedResource, object: ApiObject): ApiObject | Promise<ApiObject> {
  const { storage, kind, custom } = resource;
  if (custom !== undefined) return custom.toStorage(object);
  if (storage === undefined || sameVersion(storage.kind, kind)) return object;
  return converterBetween(kind, storage.kind)(object);
}

function sameVersion(left: Kind, right: Kind): boolean {
  return left.group === right.group && left.version === right.version;
}

/** What a built-in kind means. */
export type RulesOf = (row: ResourceRow) => KindRules;

export interface ResourceChange {
  readonly gone: readonly ServedResource[];
  readonly come: readonly ServedResource[];
}

/** All resources by group, version and plural name; custom ones come and go. */
export class ResourceTable {
  /** Those that are here for the server's own parts alone. */
  readonly #hidden = new Map<string, ServedResource>();
  readonly #byPath = new Map<string, ServedResource>();
  readonly #byKind = new Map<string, ServedResource>();
  readonly #groups = new Map<string, Map<string, Set<ServedResource>>>();
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  #changes = 0;

  /** Every built-in resource, each with its cache filled from the store. Clients see those that are served. */
  static async open(
    store: Store,
    {
      rulesOf = rulesFor,
      isServed = () => true,
    }: { readonly rulesOf?: RulesOf; readonly isServed?: (row: ResourceRow) => boolean } = {},
  ): Promise<ResourceTable> {
    const table = new ResourceTable();
    const storages = new Map<string, ResourceStorage>();
    for (const row of resourceRows) {
      const storage = isStored(row) ? await storageOf(row, storages, store) : undefined;
      const resource = servedResource(row, storage, rulesOf(row));
      if (isServed(row)) table.add(resource);
      else table.#hidden.set(`${row.group}/${row.version}/${row.resource}`, resource);
    }
    return table;
  }

  add(resource: ServedResource): void {
    const { group, version, kind, resource: plural } = resource.kind;
    this.#byPath.set(`${group}/${version}/${plural}`, resource);
    this.#byKind.set(`${group}/${version}/${kind}`, resource);
    const versions = this.#groups.get(group) ?? new Map<string, Set<ServedResource>>();
    this.#groups.set(group, versions);
    const members = versions.get(version) ?? new Set();
    versions.set(version, members.add(resource));
  }

  remove(resource: ServedResource): void {
    const { group, version, kind, resource: plural } = resource.kind;
    this.#byPath.delete(`${group}/${version}/${plural}`);
    this.#byKind.delete(`${group}/${version}/${kind}`);
    const members = this.#groups.get(group)?.get(version);
    members?.delete(resource);
    if (members?.size === 0) this.#groups.get(group)!.delete(version);
    if (this.#groups.get(group)?.size === 0) this.#groups.delete(group);
  }

  /** Some resources go and others come, as one change to those who listen. */
  replace(gone: readonly ServedResource[], come: readonly ServedResource[]): void {
    for (const resource of gone) this.remove(resource);
    for (const resource of come) this.add(resource);
    this.#changes++;
    for (const listener of this.#listeners) listener({ gone, come });
  }

  /** Hears of every change, right after it. */
  onChange(listener: (change: ResourceChange) => void): void {
    this.#listeners.add(listener);
  }

  /** Rises with every change: what was made from the table is good for as long as this stays. */
  get changes(): number {
    return this.#changes;
  }

  /** Versions of each group, with the resources of each, in the order in which they came. */
  get groups(): ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<ServedResource>>> {
    return this.#groups;
  }

  get(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** Also one that clients do not see: for the server's own parts. */
  known(group: string, version: string, plural: string): ServedResource | undefined {
    return this.get(group, version, plural) ?? this.#hidden.get(`${group}/${version}/${plural}`);
  }

  forKind(kind: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }): ServedResource | undefined {
    return this.#byKind.get(`${kind.group}/${kind.version}/${kind.kind}`);
  }

  /** The resource behind a typed handle; every handle has one. */
  of(kind: Kind): ServedResource {
    const resource = this.known(kind.group, kind.version, kind.resource);
    if (resource === undefined) throw new Error(`no resource for ${kind.group}/${kind.version} ${kind.kind}`);
    return resource;
  }

  all(): Iterable<ServedResource> {
    return this.#byPath.values();
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.#groups.get(group)?.has(version) === true;
  }

  close(): void {
    for (const { storage } of [...this.#byPath.values(), ...this.#hidden.values()]) storage?.cache.close();
  }
}

/** Kinds without a `get` are questions and actions: reviews, bindings. Component statuses are computed. */
function isStored(row: ResourceRow): boolean {
  return row.verbs.includes('get') && row.resource !== 'componentstatuses';
}

async function storageOf(
  row: ResourceRow,
  storages: Map<string, ResourceStorage>,
  store: Store,
): Promise<ResourceStorage> {
  const prefix = storageKeyPrefix(row.group, row.resource);
  let storage = storages.get(prefix);
  if (storage === undefined) {
    // Discovery order puts the preferred version first: that one is kept.
    storage = { kind: handleOf(row), prefix, cache: await ResourceCache.open(store, prefix) };
    storages.set(prefix, storage);
  }
  return storage;
}

function servedResource(row: ResourceRow, storage: ResourceStorage | undefined, rules: KindRules): ServedResource {
  return {
    kind: handleOf(row),
    groupResource: `${row.group}/${row.resource}`,
    singular: row.singular,
    shortNames: row.shortNames,
    categories: row.categories,
    verbs: new Set(row.verbs),
    get schema() {
      return row.schema;
    },
    rules,
    subresources: new Map(row.subresources.map((subresource) => [subresource.name, subresource])),
    storage,
    deprecation: deprecationOf(row),
  };
}

function handleOf({ group, version, kind, resource, namespaced }: ResourceRow): Kind {
  return { group, version, kind, resource, namespaced };
}
