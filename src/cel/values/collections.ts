import { Double, fail, ListValue, MapValue, Uint, type Value } from './value.ts';

/** A list that holds its items. */
export class ArrayList extends ListValue {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }

  get size(): number {
    return this.items.length;
  }

  at(index: number): Value {
    return this.items[index]!;
  }

  override [Symbol.iterator](): IterableIterator<Value> {
    return this.items[Symbol.iterator]() as IterableIterator<Value>;
  }
}

/** Items of two lists, one after the other, copied when they are first read. */
export class JoinedList extends ListValue {
  readonly size: number;
  #parts: readonly [ListValue, ListValue] | undefined;
  #items: Value[] = [];

  constructor(left: ListValue, right: ListValue) {
    super();
    this.size = left.size + right.size;
    this.#parts = [left, right];
  }

  at(index: number): Value {
    if (this.#parts !== undefined) {
      // Long chains of `a + b + c` are unrolled from the left without recursion.
      const pending: ListValue[] = [...this.#parts].reverse();
      this.#parts = undefined;
      for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
        if (part instanceof JoinedList && part.#parts !== undefined) pending.push(part.#parts[1], part.#parts[0]);
        else for (const item of part) this.#items.push(item);
      }
    }
    return this.#items[index]!;
  }
}

/**
 * What a key is looked up by: numbers that are equal give the same, whatever their type. Undefined: nothing that
 * could be a key.
 */
export function keyOf(key: Value): string | number | bigint | boolean | undefined {
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint')
    return key;
  if (key instanceof Uint) return key.value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(key.value) : key.value;
  if (key instanceof Double && Number.isInteger(key.value)) {
    return Number.isSafeInteger(key.value) ? key.value + 0 : BigInt(key.value);
  }
  return undefined;
}

interface Entry {
  readonly key: Value;
  readonly value: Value;
}

/** A map that holds its entries, in the order in which they were added. */
export class HashMap extends MapValue {
  readonly #entries: ReadonlyMap<string | number | bigint | boolean, Entry>;

  /** @throws Failure when a key is repeated or may not be one. */
  constructor(entries: Iterable<readonly [Value, Value]>) {
    super();
    const known = new Map<string | number | bigint | boolean, Entry>();
    for (const [key, value] of entries) {
      const lookup = key instanceof Double ? undefined : keyOf(key);
      if (lookup === undefined) fail('unsupported key type');
      if (known.has(lookup!)) fail(`Failed with repeated key`);
      known.set(lookup!, { key, value });
    }
    this.#entries = known;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    const lookup = keyOf(key);
    return lookup === undefined ? undefined : this.#entries.get(lookup)?.value;
  }

  *keys(): Iterable<Value> {
    for (const { key } of this.#entries.values()) yield key;
  }
}
