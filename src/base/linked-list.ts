/** Where a value stands in a list: by it the value is taken out again. */
export interface ListNode<Value> {
  readonly value: Value;
  /** @internal undefined where it stands in no list */
  list: LinkedList<Value> | undefined;
  /** @internal */
  before: ListNode<Value> | undefined;
  /** @internal */
  after: ListNode<Value> | undefined;
}

/**
 * Values in the order in which they came, each of which may leave at any time.
 *
 * A `Set` could do this, were it not for the garbage collector. Where members come and go all the time its table is made
 * anew every so often, and the old one refers to the new one. Once one of them has been moved to the old generation, all
 * that come after stay until that is collected, with all that their members refer to: under load every request of the
 * server did. Here nothing that has left refers to what is left.
 */
export class LinkedList<Value> {
  #first: ListNode<Value> | undefined;
  #last: ListNode<Value> | undefined;

  /** The one that came first of those that are still here. */
  get first(): ListNode<Value> | undefined {
    return this.#first;
  }

  add(value: Value): ListNode<Value> {
    const node: ListNode<Value> = { value, list: undefined, before: undefined, after: undefined };
    this.#append(node);
    return node;
  }

  /** As if it had come just now. */
  moveToEnd(node: ListNode<Value>): void {
    if (node === this.#last || !this.remove(node)) return;
    this.#append(node);
  }

  /** @returns whether it was here */
  remove(node: ListNode<Value>): boolean {
    if (node.list !== this) return false;
    const { before, after } = node;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    node.list = undefined;
    node.before = undefined;
    node.after = undefined;
    return true;
  }

  #append(node: ListNode<Value>): void {
    const last = this.#last;
    node.list = this;
    node.before = last;
    if (last === undefined) this.#first = node;
    else last.after = node;
    this.#last = node;
  }
}
