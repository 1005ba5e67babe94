import type { CelType } from '../types/types.ts';
import type { Duration, Timestamp } from './time.ts';

/**
 * A value of CEL. An `int` is a `number` where JavaScript holds it exactly and a `bigint` outside of that range, never
 * the other way round, so that integers of JSON objects are CEL values as they are. A `double` is boxed.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Uint
  | Double
  | Duration
  | Timestamp
  | ListValue
  | MapValue
  | StructValue
  | OptionalValue
  | TypeValue
  | OpaqueValue;

/** An IEEE 754 double. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** An ordered sequence. Implementations may wrap plain JSON and convert items when they are read. */
export abstract class ListValue {
  abstract readonly size: number;
  /** The item at an index that lies within the list. */
  abstract at(index: number): Value;

  /** Lists that are equal in a way of their own say here whether they are; undefined: item by item. */
  equalsList(_other: ListValue): boolean | undefined {
    return undefined;
  }

  /** Lists that are joined in a way of their own; undefined: one after the other. */
  plus(_other: ListValue): ListValue | undefined {
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }
}

/** Keys (bool, int, uint, string) and their values. */
export abstract class MapValue {
  abstract readonly size: number;
  /** The value of a key; numbers that are equal are one key. Undefined: no such key. */
  abstract get(key: Value): Value | undefined;
  abstract keys(): Iterable<Value>;
}

/** An object with fields that its type declares. */
export abstract class StructValue {
  abstract readonly type: CelType;
  /** A field's value, its default where it is not set. Undefined: the type has no such field. */
  abstract get(field: string): Value | undefined;
  /** Whether the field is set. Undefined: the type has no such field. */
  abstract has(field: string): boolean | undefined;
  abstract equals(other: Value): boolean;
}

/** A value that may be absent (`optional.of(x)`, `a[?0]`). */
export class OptionalValue {
  static readonly none: OptionalValue = new OptionalValue(undefined);
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** What `type(x)` returns. */
export class TypeValue {
  readonly type: CelType;

  constructor(type: CelType) {
    this.type = type;
  }
}

/** A value of a library's own type. */
export abstract class OpaqueValue {
  abstract readonly type: CelType;

  /** What `size` is to lists and texts, where costs are counted. */
  get costSize(): number {
    return 1;
  }

  abstract equals(other: Value): boolean;
}

/**
 * An evaluation that failed. Thrown between the parts of the evaluator, and caught where CEL says that an error is
 * absorbed; not an Error, because a stack trace would cost more than the evaluation.
 */
export class Failure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** A failure that no operator absorbs: a limit was exceeded, or the caller gave up. */
export class Cancelled extends Failure {}

/** @throws Failure always. */
export function fail(message: string): never {
  throw new Failure(message);
}

export const noSuchOverload = (): never => fail('no such overload');
