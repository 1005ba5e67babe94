import { ApiError, internalError } from '#machinery/errors.ts';
import {
  type CommitResult,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoredEntry,
  type StoredValue,
  type StoreEvent,
  StoreUnavailable,
  type WatchOptions,
  type Write,
} from '#storage/store.ts';
import { StoreLayer } from '#storage/store-layer.ts';
import { carryMark } from '../encryption/encrypted-store.ts';
import { decodeForm, encodeForm, type FormOptions } from './form.ts';

/** A value on its way to the store beneath: upstream's form is made when its bytes are asked for. */
class FormedValue implements StoredValue {
  readonly plain: StoredValue;
  readonly #form: FormOptions;
  #bytes: Uint8Array | undefined;

  constructor(plain: StoredValue, form: FormOptions) {
    this.plain = plain;
    this.#form = form;
  }

  get bytes(): Uint8Array {
    this.#bytes ??= encodeForm(this.plain, this.#form);
    return this.#bytes;
  }
}

/** A store whose values are in the form that upstream keeps in etcd, so that either server can read the other's. */
export class FormedStore extends StoreLayer {
  readonly #form: FormOptions;

  constructor(inner: Store, form: FormOptions) {
    super(inner);
    this.#form = form;
  }

  /** Nobody builds on a value that is in another form than the server's: etcd has none on its way. */
  override get pending(): undefined {
    return undefined;
  }

  override async get(key: string, options?: { readonly revision?: number }): Promise<StoredEntry | undefined> {
    const entry = await this.inner.get(key, options);
    return entry === undefined ? undefined : plainEntry(entry);
  }

  override async range(prefix: string, options?: RangeOptions): Promise<RangeResult> {
    const result = await this.inner.range(prefix, options);
    return result.outcome === 'read' ? { ...result, entries: result.entries.map(plainEntry) } : result;
  }

  override async commit({ value: make, ...write }: Write): Promise<CommitResult> {
    const value = make === undefined ? undefined : (revision: number) => new FormedValue(make(revision), this.#form);
    const result = await this.inner.commit({ ...write, value });
    if (result.outcome === 'conflict')
      return result.current === undefined ? result : { ...result, current: plainEntry(result.current) };
    return result.value === undefined ? result : { ...result, value: plainValue(result.value, result.revision) };
  }

  override watch(options: WatchOptions): Promise<'watching' | 'compacted'> {
    const onEvent = (event: StoreEvent): void => {
      const { value, previous, revision } = event;
      options.onEvent({
        ...event,
        value: value === undefined ? undefined : plainValue(value, revision),
        previous: previous === undefined ? undefined : plainEntry(previous),
      });
    };
    return this.inner.watch({ ...options, onEvent });
  }
}

function plainEntry(entry: StoredEntry): StoredEntry {
  return { ...entry, value: plainValue(entry.value, entry.modRevision) };
}

/** What cannot be opened or decoded is told to who looks at it: the list or watch that brings it has to go on. */
function readable(value: StoredValue, revision: number): StoredValue {
  try {
    return decodeForm(value.bytes, revision);
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    const failure =
      error instanceof ApiError ? error : internalError(error instanceof Error ? error.message : String(error));
    return {
      get bytes(): Uint8Array {
        throw failure;
      },
    };
  }
}

/** What was decoded once: who reads a value again gets the same object. */
const decoded = new WeakMap<StoredValue, StoredValue>();

function plainValue(value: StoredValue, revision: number): StoredValue {
  if (value instanceof FormedValue) {
    carryMark(value, value.plain);
    return value.plain;
  }
  let known = decoded.get(value);
  if (known === undefined) {
    known = readable(value, revision);
    carryMark(value, known);
    decoded.set(value, known);
  }
  return known;
}
