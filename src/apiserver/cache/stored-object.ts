import { schemaOfKind } from '#kinds/resources.ts';
import { dropExplicitNulls, withExplicitNulls } from '#machinery/explicit-nulls.ts';
import { encodeJson, parseJson } from '#machinery/json.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { StoredValue } from '#storage/store.ts';

/**
 * An object as it stands in the store: parsed once or serialised once, whichever is asked for first, and shared by
 * everybody from then on. Nobody may change it.
 */
export class StoredObject implements StoredValue {
  #object: ApiObject | undefined;
  #bytes: Uint8Array | undefined;
  readonly #source: StoredValue | undefined;

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
    this.#object ??= read(this.bytes);
    return this.#object;
  }

  /** False for what the store keeps but nobody can open any more. */
  get isReadable(): boolean {
    try {
      return this.object !== undefined;
    } catch {
      return false;
    }
  }

  /** JSON in the storage version, with its resourceVersion. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.#source === undefined ? written(this.#object!) : this.#source.bytes;
    return this.#bytes;
  }

  /** The store's own value, where it came from one: the store knows it again. */
  get origin(): StoredValue {
    return this.#source ?? this;
  }

  get decoded(): ApiObject {
    return this.object;
  }
}

function read(bytes: Uint8Array): ApiObject {
  const object = parseJson(bytes) as unknown as ApiObject;
  const schema = schemaOfKind(object.apiVersion ?? '', object.kind ?? '');
  if (schema !== undefined) dropExplicitNulls(object, schema);
  return object;
}

function written(object: ApiObject): Uint8Array {
  const schema = schemaOfKind(object.apiVersion ?? '', object.kind ?? '');
  return encodeJson(schema === undefined ? object : withExplicitNulls(object, schema));
}

const wrapped = new WeakMap<StoredValue, StoredObject>();

/** The same object with another resourceVersion: a deleted one is told with the revision of its deletion. */
export function withRevision(value: StoredObject, revision: number): StoredObject {
  const { object } = value;
  return StoredObject.ofObject({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
}
