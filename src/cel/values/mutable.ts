import { keyOf } from './collections.ts';
import { fail, ListValue, MapValue, type Value } from './value.ts';

/** The list that a loop is building: it alone sees it, so that adding need not copy. */
export class MutableList extends ListValue {
  readonly items: Value[] = [];
  /** The loop has ended: from now on others may see it. */
  frozen = false;

  get size(): number {
    return this.items.length;
  }

  at(index: number): Value {
    return this.items[index]!;
  }

  append(list: ListValue): this {
    for (const item of list) this.items.push(item);
    return this;
  }

  override [Symbol.iterator](): IterableIterator<Value> {
    return this.items[Symbol.iterator]();
  }
}

/** The map that a loop is building. */
export class MutableMap extends MapValue {
  /** The loop has ended: from now on others may see it. */
  frozen = false;
  readonly #entries = new Map<string | number | bigint | boolean, readonly [Value, Value]>();

  /** `map` itself when a loop is building it, otherwise a copy. */
  static of(map: MapValue): MutableMap {
    if (map instanceof MutableMap && !map.frozen) return map;
    const copy = new MutableMap();
    for (const key of map.keys()) copy.insert(key, map.get(key)!);
    return copy;
  }

  get size(): number {
    return this.#entries.size;
  }

  insert(key: Value, value: Value): this {
    const lookup = keyOf(key) ?? fail('unsupported key type');
    this.#entries.set(lookup, [key, value]);
    return this;
  }

  get(key: Value): Value | undefined {
    const lookup = keyOf(key);
    return lookup === undefined ? undefined : this.#entries.get(lookup)?.[1];
  }

  *keys(): Iterable<Value> {
    for (const [key] of this.#entries.values()) yield key;
  }
}
