import { ApiError } from '#machinery/errors.ts';
import type {
  CommitResult,
  RangeOptions,
  RangeResult,
  Store,
  StoredEntry,
  StoredValue,
  StoreEvent,
  WatchOptions,
  Write,
} from '#storage/store.ts';
import { StoreUnavailable } from '#storage/store.ts';
import { StoreLayer } from '#storage/store-layer.ts';
import type { Awaitable } from '../authorization/authorizer.ts';
import type { Providers } from './providers.ts';

/** Finds the providers of the resource that a key belongs to; undefined for what is stored as it is. */
export type ProvidersOf = (key: string) => Providers | undefined;

/** A value on its way into the store: sealed when its bytes are asked for, which in memory they may never be. */
class SealedValue implements StoredValue {
  readonly plain: StoredValue;
  readonly mark: string;
  readonly #providers: Providers;
  readonly #key: string;
  #bytes: Uint8Array | undefined;
  #disk: StoredValue | undefined;

  constructor(plain: StoredValue, { providers, mark, key }: { providers: Providers; mark: string; key: string }) {
    this.plain = plain;
    this.mark = mark;
    this.#providers = providers;
    this.#key = key;
    marks.set(plain, mark);
  }

  get bytes(): Uint8Array {
    if (this.#disk !== undefined) return this.#disk.bytes;
    this.#bytes ??= sealNow(this.#providers, this.plain, this.#key);
    return this.#bytes;
  }

  /** The plain value can be read from there, too, unless the key is a service's: that does not open at once. */
  settle(disk: StoredValue): void {
    this.#disk = disk;
    this.#bytes = undefined;
    if (!this.#providers.opensAtOnce) return;
    this.plain.settle?.(openedValue(disk, this.#providers, { key: this.#key, mark: this.mark }));
  }

  keep(): void {
    this.#disk?.keep?.();
  }
}

/** What is sealed on a disk, opened whenever it is asked for. */
class OpenedValue implements StoredValue {
  readonly keepsBytes = true;
  readonly #disk: StoredValue;
  readonly #providers: Providers;
  readonly #key: string;

  constructor(disk: StoredValue, providers: Providers, key: string) {
    this.#disk = disk;
    this.#providers = providers;
    this.#key = key;
  }

  get bytes(): Uint8Array {
    const opened = this.#providers.open(this.#disk.bytes, this.#key);
    if (opened instanceof Promise) throw new StoreUnavailable(`the key of ${this.#key} is not here`);
    return opened.bytes;
  }

  keep(): void {
    this.#disk.keep?.();
  }
}

/** A value that cannot be opened: whoever looks at it is told why. */
class BrokenValue implements StoredValue {
  readonly #error: ApiError;

  constructor(key: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `unable to transform key ${JSON.stringify(key)}: ${why}`;
    this.#error = new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
  }

  get bytes(): Uint8Array {
    throw this.#error;
  }
}

/** How each open value was sealed. */
const marks = new WeakMap<StoredValue, string>();

/** A value in another form was sealed as the first one was. */
export function carryMark(from: StoredValue, to: StoredValue): void {
  const mark = marks.get(from);
  if (mark !== undefined) marks.set(to, mark);
}

/** A store that keeps the values of some resources sealed. */
export class EncryptedStore extends StoreLayer {
  #providersOf: ProvidersOf;

  constructor(inner: Store, providersOf: ProvidersOf) {
    super(inner);
    this.#providersOf = providersOf;
  }

  /** Other providers from now on: what was sealed before has to be among what they can open. */
  use(providersOf: ProvidersOf): void {
    this.#providersOf = providersOf;
  }

  /** Whether a value would be sealed in another way if it were written now. */
  isStale(key: string, value: StoredValue): boolean {
    const providers = this.#providersOf(key);
    if (providers === undefined) return (marks.get(value) ?? '') !== '';
    return (marks.get(value) ?? '') !== providers.currentMark;
  }

  /** Nobody builds on a sealed value before it is there: opening it may take a service's answer. */
  override get pending(): Store['pending'] {
    const pending = super.pending;
    return pending && ((key) => (this.#providersOf(key) === undefined ? pending(key) : undefined));
  }

  override async get(key: string, options?: { readonly revision?: number }): Promise<StoredEntry | undefined> {
    const entry = await this.inner.get(key, options);
    return entry === undefined ? undefined : this.#openEntry(entry);
  }

  override async range(prefix: string, options?: RangeOptions): Promise<RangeResult> {
    const result = await this.inner.range(prefix, options);
    if (result.outcome !== 'read' || this.#providersOf(prefix) === undefined) return result;
    return { ...result, entries: await Promise.all(result.entries.map((entry) => this.#openEntry(entry))) };
  }

  override async commit(write: Write): Promise<CommitResult> {
    const providers = this.#providersOf(write.key);
    if (providers === undefined) return this.inner.commit(write);
    const { key, value: make } = write;
    if (make === undefined) return this.#opened(key, await this.inner.commit(write));
    // Whether anything can be sealed now is found out before the store has begun to write.
    const mark = currentMark(providers);
    const value = (revision: number): StoredValue => {
      const plain = make(revision);
      return new SealedValue(plain, { providers, mark, key });
    };
    return this.#opened(key, await this.inner.commit({ ...write, value }));
  }

  async #opened(key: string, result: CommitResult): Promise<CommitResult> {
    if (result.outcome === 'conflict')
      return result.current === undefined ? result : { ...result, current: await this.#openEntry(result.current) };
    return result.value === undefined ? result : { ...result, value: await this.#open(key, result.value) };
  }

  override watch(options: WatchOptions): Promise<'watching' | 'compacted'> {
    if (this.#providersOf(options.prefix) === undefined) return this.inner.watch(options);
    // Events keep their order while one of them waits for its key.
    let last: Promise<void> | undefined;
    const onEvent = (event: StoreEvent): void => {
      const opened = this.#openEvent(event);
      if (last === undefined && !(opened instanceof Promise)) return options.onEvent(opened);
      const mine: Promise<void> = Promise.all([opened, last]).then(([ready]) => {
        if (last === mine) last = undefined;
        options.onEvent(ready);
      });
      last = mine;
    };
    return this.inner.watch({ ...options, onEvent });
  }

  #openEvent(event: StoreEvent): Awaitable<StoreEvent> {
    const { key, value, previous } = event;
    const now = value === undefined ? undefined : this.#open(key, value);
    const before = previous === undefined ? undefined : this.#openEntry(previous);
    if (now instanceof Promise || before instanceof Promise)
      return Promise.all([now, before]).then(([opened, old]) => ({ ...event, value: opened, previous: old }));
    return { ...event, value: now, previous: before };
  }

  #openEntry(entry: StoredEntry): Awaitable<StoredEntry> {
    const value = this.#open(entry.key, entry.value);
    if (value instanceof Promise) return value.then((opened) => ({ ...entry, value: opened }));
    return value === entry.value ? entry : { ...entry, value };
  }

  #open(key: string, value: StoredValue): Awaitable<StoredValue> {
    if (value instanceof SealedValue) return value.plain;
    const providers = this.#providersOf(key);
    if (providers === undefined) return value;
    let known = opened.get(value);
    if (known !== undefined) return known;
    const broken = (error: unknown): StoredValue => new BrokenValue(key, error);
    try {
      const answer = providers.open(value.bytes, key);
      if (answer instanceof Promise) return answer.then(plainValue, broken);
      known =
        value.keepsBytes === true && answer.opensAgain
          ? openedValue(value, providers, { key, mark: answer.mark })
          : plainValue(answer);
      opened.set(value, known);
      return known;
    } catch (error) {
      return broken(error);
    }
  }
}

/** Values that were opened, so that who reads one again gets the same object. */
const opened = new WeakMap<StoredValue, StoredValue>();

/** What can be read from a disk again is opened anew whenever it is asked for, and kept by nobody. */
function openedValue(
  disk: StoredValue,
  providers: Providers,
  { key, mark }: { readonly key: string; readonly mark: string },
): StoredValue {
  const value = new OpenedValue(disk, providers, key);
  marks.set(value, mark);
  return value;
}

function plainValue({ bytes, mark }: { readonly bytes: Uint8Array; readonly mark: string }): StoredValue {
  const value = { bytes };
  marks.set(value, mark);
  return value;
}

function currentMark(providers: Providers): string {
  try {
    return providers.currentMark;
  } catch (error) {
    throw new StoreUnavailable(error instanceof Error ? error.message : String(error));
  }
}

function sealNow(providers: Providers, plain: StoredValue, key: string): Uint8Array {
  try {
    return providers.seal(plain.bytes, key);
  } catch (error) {
    throw new StoreUnavailable(error instanceof Error ? error.message : String(error));
  }
}
