import { schemaOfKind } from '#kinds/resources.ts';
import { dropExplicitNulls, withExplicitNulls } from '#machinery/explicit-nulls.ts';
import { encodeJsonLine, parseJson } from '#machinery/json.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { StoredValue } from '#storage/store.ts';
import { LeanObject } from './lean-object.ts';

/**
 * An object as it stands in the store: parsed once or serialised once, whichever is asked for first, and shared by
 * everybody from then on. Nobody may change it. Of what can be read from a disk only what was asked for last is kept:
 * what an earlier process wrote, and what this one wrote a while ago.
 */
export class StoredObject implements StoredValue {
  #object: ApiObject | undefined;
  #bytes: Uint8Array | undefined;
  #labels: Labels | undefined;
  #lean: ApiObject | undefined;
  #source: StoredValue | undefined;

  private constructor(object: ApiObject | undefined, source: StoredValue | undefined) {
    this.#object = object;
    this.#source = source;
  }

  static ofObject(object: ApiObject): StoredObject {
    return new StoredObject(object, undefined);
  }

  /** The shared object behind a store's value, whether or not this process wrote it. */
  static of(value: StoredValue): StoredObject {
    if (value instanceof StoredObject) return value;
    let known = wrapped.get(value);
    if (known === undefined) {
      known = new StoredObject(undefined, value);
      wrapped.set(value, known);
    }
    return known;
  }

  get object(): ApiObject {
    if (this.#object !== undefined) return this.#object;
    this.#object = read(this.bytes);
    if (this.#source?.keepsBytes === true) this.#remember();
    return this.#object;
  }

  /** What was read from a disk stays for as long as it is among the last that were asked for. */
  #remember(): void {
    const forgotten = rememberInstead(this);
    if (forgotten === undefined || forgotten === this) return;
    forgotten.#object = undefined;
    forgotten.#bytes = undefined;
  }

  /** What selectors ask for, of every object. */
  get labels(): Labels | undefined {
    if (this.#object !== undefined) return this.#object.metadata.labels;
    this.#labels ??= this.object.metadata.labels ?? noLabels;
    return this.#labels;
  }

  /**
   * The same object for who holds on to it: what is on a disk, or may be one day, holds its metadata and reads the rest
   * when it is asked for.
   */
  get lean(): ApiObject {
    if (this.#source !== undefined && this.#source.keepsBytes !== true) return this.object;
    this.#lean ??= new LeanObject(this) as unknown as ApiObject;
    return this.#lean;
  }

  /** False for what the store keeps but nobody can open any more. */
  get isReadable(): boolean {
    try {
      return this.object !== undefined;
    } catch {
      return false;
    }
  }

  /** JSON in the storage version, with its resourceVersion: a line, unless an older release wrote it. */
  get bytes(): Uint8Array {
    if (this.#bytes !== undefined) return this.#bytes;
    this.#bytes = this.#source === undefined ? written(this.#object!) : this.#source.bytes;
    if (this.#source?.keepsBytes === true) this.#remember();
    return this.#bytes;
  }

  /** @see StoredValue.settle */
  settle(source: StoredValue): void {
    this.#labels = this.#object?.metadata.labels ?? noLabels;
    this.#source = source;
    this.#object = undefined;
    this.#bytes = undefined;
  }

  keep(): void {
    this.#source?.keep?.();
  }

  /** By what to remember things that are made of it, so that they go when it leaves memory; undefined where it has. */
  get memory(): object | undefined {
    return this.#object ?? (this.#source?.keepsBytes === true ? undefined : this);
  }

  /** The store's own value, where it came from one: the store knows it again. */
  get origin(): StoredValue {
    return this.#source ?? this;
  }

  get decoded(): ApiObject {
    return this.object;
  }
}

/** Objects of a disk that were asked for last. Few enough to be garbage while they are young, when many are asked for. */
const recent: (StoredObject | undefined)[] = Array.from({ length: 256 }, () => undefined);
let oldest = 0;

/** @returns what is no longer among the last that were asked for */
function rememberInstead(value: StoredObject): StoredObject | undefined {
  const before = recent[oldest];
  recent[oldest] = value;
  oldest = (oldest + 1) % recent.length;
  return before;
}

type Labels = Readonly<Record<string, string>>;
const noLabels: Labels = {};

function read(bytes: Uint8Array): ApiObject {
  const object = parseJson(bytes) as unknown as ApiObject;
  const schema = schemaOfKind(object.apiVersion ?? '', object.kind ?? '');
  if (schema !== undefined) dropExplicitNulls(object, schema);
  return object;
}

function written(object: ApiObject): Uint8Array {
  const schema = schemaOfKind(object.apiVersion ?? '', object.kind ?? '');
  return encodeJsonLine(schema === undefined ? object : withExplicitNulls(object, schema));
}

const wrapped = new WeakMap<StoredValue, StoredObject>();

/** The same object with another resourceVersion: a deleted one is told with the revision of its deletion. */
export function withRevision(value: StoredObject, revision: number): StoredObject {
  const { object } = value;
  return StoredObject.ofObject({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
}
