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
import { storageKeyPrefix } from './storage-keys.ts';

/** One resource in one version, as the server offers it. A custom resource is the same value, made at run time. */
export interface ServedResource {
  readonly kind: Kind;
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

/** The object in the version that the request asked for. */
export function inServedVersion(resource: ServedResource, value: StoredObject): StoredObject {
  const { storage, kind } = resource;
  if (storage === undefined || sameVersion(storage.kind, kind)) return value;
  let byVersion = converted.get(value);
  if (byVersion === undefined) {
    byVersion = new Map();
    converted.set(value, byVersion);
  }
  const apiVersion = apiVersionOf(kind);
  let result = byVersion.get(apiVersion);
  if (result === undefined) {
    result = StoredObject.ofObject(converterBetween(storage.kind, kind)(value.object));
    byVersion.set(apiVersion, result);
  }
  return result;
}

const converted = new WeakMap<StoredObject, Map<string, StoredObject>>();

/** The object in the version that the store keeps. */
export function inStorageVersion(resource: ServedResource, object: ApiObject): ApiObject {
  const { storage, kind } = resource;
  if (storage === undefined || sameVersion(storage.kind, kind)) return object;
  return converterBetween(kind, storage.kind)(object);
}

function sameVersion(left: Kind, right: Kind): boolean {
  return left.group === right.group && left.version === right.version;
}

/** All resources by group, version and plural name; custom ones come and go. */
export class ResourceTable {
  readonly #byPath = new Map<string, ServedResource>();
  readonly #byKind = new Map<string, ServedResource>();

  /** Every built-in resource, each with its cache filled from the store. */
  static async open(store: Store): Promise<ResourceTable> {
    const table = new ResourceTable();
    const storages = new Map<string, ResourceStorage>();
    for (const row of resourceRows) {
      const storage = isStored(row) ? await storageOf(row, storages, store) : undefined;
      table.add(servedResource(row, storage));
    }
    return table;
  }

  add(resource: ServedResource): void {
    const { group, version, kind, resource: plural } = resource.kind;
    this.#byPath.set(`${group}/${version}/${plural}`, resource);
    this.#byKind.set(`${group}/${version}/${kind}`, resource);
  }

  remove(resource: ServedResource): void {
    const { group, version, kind, resource: plural } = resource.kind;
    this.#byPath.delete(`${group}/${version}/${plural}`);
    this.#byKind.delete(`${group}/${version}/${kind}`);
  }

  get(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
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
    const resource = this.get(kind.group, kind.version, kind.resource);
    if (resource === undefined) throw new Error(`no resource for ${kind.group}/${kind.version} ${kind.kind}`);
    return resource;
  }

  all(): Iterable<ServedResource> {
    return this.#byPath.values();
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const { kind } of this.#byPath.values()) if (kind.group === group && kind.version === version) return true;
    return false;
  }

  close(): void {
    for (const { storage } of this.#byPath.values()) storage?.cache.close();
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

function servedResource(row: ResourceRow, storage: ResourceStorage | undefined): ServedResource {
  return {
    kind: handleOf(row),
    singular: row.singular,
    shortNames: row.shortNames,
    categories: row.categories,
    verbs: new Set(row.verbs),
    get schema() {
      return row.schema;
    },
    rules: rulesFor(row),
    subresources: new Map(row.subresources.map((subresource) => [subresource.name, subresource])),
    storage,
  };
}

function handleOf({ group, version, kind, resource, namespaced }: ResourceRow): Kind {
  return { group, version, kind, resource, namespaced };
}
