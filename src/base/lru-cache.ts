import { LinkedList, type ListNode } from './linked-list.ts';

/** A map that forgets what was not touched for longest once it holds more than `limit` entries. */
export class LruCache<Key, Value> {
  readonly #nodes = new Map<Key, ListNode<Entry<Key, Value>>>();
  /** What was touched last comes last. */
  readonly #order = new LinkedList<Entry<Key, Value>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(key: Key): Value | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    this.#order.moveToEnd(node);
    return node.value.value;
  }

  set(key: Key, value: Value): void {
    const known = this.#nodes.get(key);
    if (known !== undefined) this.#order.remove(known);
    this.#nodes.set(key, this.#order.add({ key, value }));
    const { first } = this.#order;
    if (this.#nodes.size > this.#limit && first !== undefined) this.delete(first.value.key);
  }

  delete(key: Key): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    this.#order.remove(node);
  }
}

interface Entry<Key, Value> {
  readonly key: Key;
  readonly value: Value;
}
