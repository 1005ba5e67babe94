import type { ApiObject } from '#machinery/meta.ts';
import { keyFor, keyOf } from './object-key.ts';

/** The values under which an index files an object. */
export type IndexFunction<T extends ApiObject> = (object: T) => readonly string[];

/** A view of a cache by something other than the key. */
export interface Index<T extends ApiObject> {
  /** The objects filed under `value`, in no particular order. */
  get(value: string): readonly T[];
  /** How many objects are filed under `value`. */
  count(value: string): number;
  values(): Iterable<string>;
}

/** Objects of one kind by key, with indexes that are kept up to date. Objects are shared and readonly. */
export class ObjectCache<T extends ApiObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, IndexTable<T>>();

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyFor(namespace, name));
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): Iterable<T> {
    return this.#objects.values();
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  /** The index of that name, made on first use. One name stands for one function: later functions are not looked at. */
  index(name: string, values: IndexFunction<T>): Index<T> {
    const existing = this.#indexes.get(name);
    if (existing !== undefined) return existing;
    const table = new IndexTable(values);
    this.#indexes.set(name, table);
    for (const [key, object] of this.#objects) table.replace(key, undefined, object);
    return table;
  }

  /** Stores the object and returns what it replaced. */
  set(object: T): T | undefined {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const table of this.#indexes.values()) table.replace(key, old, object);
    return old;
  }

  /** Removes the object and returns it. */
  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const table of this.#indexes.values()) table.replace(key, old, undefined);
    return old;
  }
}

class IndexTable<T extends ApiObject> implements Index<T> {
  readonly #values: IndexFunction<T>;
  readonly #groups = new Map<string, Map<string, T>>();

  constructor(values: IndexFunction<T>) {
    this.#values = values;
  }

  get(value: string): readonly T[] {
    const group = this.#groups.get(value);
    return group === undefined ? [] : [...group.values()];
  }

  count(value: string): number {
    return this.#groups.get(value)?.size ?? 0;
  }

  values(): Iterable<string> {
    return this.#groups.keys();
  }

  replace(key: string, old: T | undefined, object: T | undefined): void {
    const after = object === undefined ? [] : this.#values(object);
    if (old !== undefined) {
      for (const value of this.#values(old)) if (!after.includes(value)) this.#remove(value, key);
    }
    if (object === undefined) return;
    for (const value of after) {
      let group = this.#groups.get(value);
      if (group === undefined) {
        group = new Map();
        this.#groups.set(value, group);
      }
      group.set(key, object);
    }
  }

  #remove(value: string, key: string): void {
    const group = this.#groups.get(value);
    if (group === undefined) return;
    group.delete(key);
    if (group.size === 0) this.#groups.delete(value);
  }
}

export function byNamespace(object: ApiObject): readonly string[] {
  return [object.metadata.namespace ?? ''];
}

/** Files an object under the uid of the owner that controls it. */
export function byControllerUid(object: ApiObject): readonly string[] {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  return owner === undefined ? [] : [owner.uid];
}
