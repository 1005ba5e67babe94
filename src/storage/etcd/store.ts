import type { ClientDuplexStream } from '@grpc/grpc-js';
import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { Revisions } from '../revisions.ts';
import type {
  CommitResult,
  RangeOptions,
  RangeResult,
  Store,
  StoredEntry,
  StoredValue,
  WatchOptions,
  Write,
} from '../store.ts';
import { StoreTimeout, StoreUnavailable } from '../store.ts';
import { callTimeoutMs, EtcdConnection, type EtcdOptions, EtcdRefusal, pageTimeoutMs } from './connection.ts';
import { Leases } from './leases.ts';
import {
  compactRequest,
  databaseSize,
  endOfPrefix,
  type KeyValue,
  progressRequest,
  rangeAnswer,
  rangeRequest,
  swapAnswer,
  swapRequest,
  type WatchAnswer,
  watchAnswer,
  watchRequest,
} from './messages.ts';

export interface EtcdStoreOptions extends EtcdOptions {
  /** Every key of this store begins with it, and nobody else's does. */
  readonly prefix?: string;
  /** What stands in etcd for the `/registry` that every key begins with here (`--etcd-prefix`). */
  readonly root?: string;
  readonly environment: Pick<Environment, 'clock' | 'log' | 'random'>;
}

/** Events kept for watchers that resume. */
const maxLogEvents = 4096;
const pageEntries = 1000;
/** How long a request waits for a member that answers, and then for the copy to show what it has to. */
const patienceMs = 10_000;
/** A watch that owes somebody news for so long is looked for at another member. */
const stallMs = 2_000;
const reconnectMs = 200;
const registryRoot = '/registry';

interface Waiter {
  readonly revision: number;
  /** With what went wrong, if anything did. */
  readonly settle: (failure?: Error) => void;
}

/**
 * etcd as the store of several API servers. A copy of all keys is kept here in step with etcd by one watch: reads and
 * watches are served from the copy, writes are etcd's transactions, and a write is answered once the copy has it.
 * `fresh` tells when the copy has what others wrote before it was called.
 */
export class EtcdStore implements Store {
  readonly expires = true;
  readonly #connection: EtcdConnection;
  readonly #leases: Leases;
  readonly #prefix: string;
  readonly #root: string;
  readonly #environment: EtcdStoreOptions['environment'];
  readonly #revisions = new Revisions();
  #compacted = 0;
  /** Values that this process wrote, until the copy shows them: parsed already, unlike those that etcd sends. */
  readonly #own = new Map<number, StoredValue>();
  readonly #waiting = new Set<Waiter>();
  readonly #stop = new AbortController();
  #stream: ClientDuplexStream<Buffer, Buffer> | undefined;
  /** The member that the stream goes to. */
  #followed = -1;
  #asking: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #heardAtMs = 0;
  #sizeBytes: number | undefined;
  #measuring = false;

  private constructor({ prefix = '/registry/', root = registryRoot, environment, ...options }: EtcdStoreOptions) {
    this.#prefix = prefix;
    this.#root = root.replace(/\/+$/, '');
    this.#environment = environment;
    // Who does not answer calls tells no news either.
    const onFailure = (member: number): void => {
      if (member === this.#followed) this.#stream?.cancel();
    };
    this.#connection = new EtcdConnection(options, { clock: environment.clock, onFailure });
    this.#leases = new Leases((request) => this.#call('/etcdserverpb.Lease/LeaseGrant', request), environment);
  }

  /** Reads everything and follows it. Rejects with StoreUnavailable when no member answers. */
  static async open(options: EtcdStoreOptions): Promise<EtcdStore> {
    const store = new EtcdStore(options);
    const { entries, revision } = await store.#readAll();
    store.#revisions.load(entries, revision);
    void store.#follow();
    await store.#measure();
    return store;
  }

  get revision(): number {
    return this.#revisions.revision;
  }

  /** What the member said last; whoever reads it has it asked again. */
  get sizeBytes(): number | undefined {
    void this.#measure();
    return this.#sizeBytes;
  }

  async #measure(): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    try {
      const { answer } = await this.#connection.call('/etcdserverpb.Maintenance/Status', Buffer.alloc(0), {
        limitMs: 0,
      });
      this.#sizeBytes = databaseSize(answer);
    } catch {
      // A member that does not say how large it is has more to complain of elsewhere.
    } finally {
      this.#measuring = false;
    }
  }

  get compactedRevision(): number {
    return Math.max(this.#compacted, this.#revisions.logStart);
  }

  async get(key: string, { revision }: { readonly revision?: number } = {}): Promise<StoredEntry | undefined> {
    if (revision === undefined || revision >= this.#revisions.logStart) return this.#revisions.get(key, revision);
    const { entries } = await this.#range({ key, revision });
    return entries[0] === undefined ? undefined : entryOf(entries[0]);
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    const { revision = this.revision, limit = 0, after = '' } = options;
    if (revision < this.#compacted) return { outcome: 'compacted' };
    if (revision >= this.#revisions.logStart) return this.#revisions.range(prefix, options);
    try {
      const [key, end] = [after > prefix ? `${after}\0` : prefix, endOfPrefix(prefix)];
      if (limit === 0) {
        const { entries } = await this.#readPages(key, end, revision);
        return { outcome: 'read', entries, revision, remaining: 0 };
      }
      const page = await this.#range({ key, end, limit, revision });
      const entries = page.entries.map(entryOf);
      return { outcome: 'read', entries, revision, remaining: page.count - entries.length };
    } catch (error) {
      if (error instanceof EtcdRefusal && error.message.includes('compacted')) return { outcome: 'compacted' };
      throw error;
    }
  }

  /** Rejects with StoreTimeout when it is not known in time whether the write was carried out. */
  async commit({ key, expectedRevision, value, ttlSeconds }: Write): Promise<CommitResult> {
    const bytes = value?.(0).bytes;
    const lease = ttlSeconds === undefined ? 0 : await this.#leases.lasting(ttlSeconds);
    const request = swapRequest(this.#there(key), expectedRevision, bytes, lease);
    const { answer, again } = await this.#call('/etcdserverpb.KV/Txn', request);
    const { revision, succeeded, current } = swapAnswer(answer);
    if (succeeded) return this.#committed(revision, value?.(revision), key);
    // The connection broke after an earlier attempt was carried out: what is there is this very write.
    if (again && bytes !== undefined && current !== undefined && Buffer.compare(current.value, bytes) === 0)
      return this.#committed(current.modRevision, value?.(current.modRevision), key);
    if (again && bytes === undefined && current === undefined) return this.#committed(revision, undefined, key);
    await this.#reached(Math.max(current?.modRevision ?? 0, this.revision));
    return {
      outcome: 'conflict',
      current: current === undefined ? undefined : (this.#revisions.current(key) ?? entryOf({ ...current, key })),
    };
  }

  async #committed(revision: number, value: StoredValue | undefined, key: string): Promise<CommitResult> {
    if (value !== undefined && this.revision < revision) this.#own.set(revision, value);
    await this.#reached(revision);
    const shown = this.#revisions.current(key);
    return { outcome: 'committed', revision, value: shown?.modRevision === revision ? shown.value : value };
  }

  /** Resolves when the copy shows everything that was committed before the call, by whomever. */
  fresh(): Promise<void> {
    this.#next ??= this.#askAfter(this.#asking);
    return this.#next;
  }

  /** A question that is on its way already could have been answered too early: those who come now share the next. */
  async #askAfter(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => undefined);
    this.#asking = this.#next;
    this.#next = undefined;
    const { revision } = await this.#range({ key: this.#prefix, countOnly: true });
    if (this.revision >= revision) return;
    this.#stream?.write(progressRequest());
    await this.#reached(revision);
  }

  async watch(options: WatchOptions): Promise<'watching' | 'compacted'> {
    if (options.fromRevision < this.#revisions.logStart) return 'compacted';
    this.#revisions.watch(options.prefix, options.fromRevision, options.onEvent, options.signal);
    return 'watching';
  }

  async compact(revision: number): Promise<void> {
    if (revision <= this.#compacted) return;
    this.#compacted = revision;
    this.#revisions.forget(revision);
    try {
      await this.#call('/etcdserverpb.KV/Compact', compactRequest(revision));
    } catch (error) {
      // Another server was faster.
      if (!(error instanceof EtcdRefusal)) throw error;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#stream?.cancel();
    for (const { settle } of [...this.#waiting]) settle(new StoreUnavailable('the store is closed'));
    this.#connection.close();
  }

  #call(
    method: string,
    request: Buffer,
    timeoutMs = callTimeoutMs,
  ): Promise<{ readonly answer: Buffer; readonly again: boolean }> {
    return this.#connection.call(method, request, { limitMs: patienceMs, timeoutMs });
  }

  async #range(query: Parameters<typeof rangeRequest>[0]): Promise<ReturnType<typeof rangeAnswer>> {
    const timeoutMs = query.countOnly === true ? callTimeoutMs : pageTimeoutMs;
    const { key, end } = query;
    const there = { ...query, key: this.#there(key), ...(end === undefined ? {} : { end: this.#there(end) }) };
    const { answer } = await this.#call('/etcdserverpb.KV/Range', rangeRequest(there), timeoutMs);
    const found = rangeAnswer(answer);
    if (this.#root === registryRoot) return found;
    return { ...found, entries: found.entries.map((entry) => ({ ...entry, key: this.#here(entry.key) })) };
  }

  /** A key as etcd has it. */
  #there(key: string): string {
    return this.#root === registryRoot ? key : this.#root + key.slice(registryRoot.length);
  }

  #here(key: string): string {
    return this.#root === registryRoot ? key : registryRoot + key.slice(this.#root.length);
  }

  async #readAll(): Promise<{ readonly entries: readonly StoredEntry[]; readonly revision: number }> {
    return this.#readPages(this.#prefix, endOfPrefix(this.#prefix), undefined);
  }

  /** All entries between two keys as of one revision. */
  async #readPages(
    from: string,
    end: string,
    at: number | undefined,
  ): Promise<{ readonly entries: StoredEntry[]; readonly revision: number }> {
    const entries: StoredEntry[] = [];
    let key = from;
    let revision = at ?? 0;
    for (;;) {
      const page = await this.#range({ key, end, limit: pageEntries, revision });
      if (revision === 0) revision = page.revision;
      for (const entry of page.entries) entries.push(entryOf(entry));
      if (!page.more) return { entries, revision };
      key = `${page.entries.at(-1)!.key}\0`;
    }
  }

  /** Keeps the copy in step, whatever happens to members and connections. */
  async #follow(): Promise<void> {
    const { clock, log } = this.#environment;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#followOnce();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        log.warn('the watch of etcd ended; following again', { message: String((error as Error).message) });
        this.#connection.avoid(this.#followed);
      }
      await sleep(clock, reconnectMs, this.#stop.signal).catch(() => undefined);
    }
  }

  async #followOnce(): Promise<void> {
    const { stream, member } = this.#connection.watch();
    this.#stream = stream;
    this.#followed = member;
    stream.write(watchRequest(this.#there(this.#prefix), this.revision + 1));
    // Whoever waited for a broken stream's progress has to ask this one.
    if (this.#waiting.size > 0) stream.write(progressRequest());
    try {
      for await (const bytes of stream as AsyncIterable<Buffer>) {
        const answer = watchAnswer(bytes);
        if (answer.compactedRevision > 0) await this.#catchUp();
        if (answer.canceled) return;
        this.#take(answer);
      }
    } finally {
      stream.cancel();
    }
  }

  #take({ events, revision, created }: WatchAnswer): void {
    this.#heardAtMs = this.#environment.clock.monotonic();
    for (const { isDeletion, entry } of events) {
      const key = this.#here(entry.key);
      if (isDeletion) this.#publish(key, entry.modRevision, undefined);
      else this.#publish(key, entry.modRevision, this.#own.get(entry.modRevision) ?? { bytes: entry.value });
      this.#own.delete(entry.modRevision);
    }
    // An answer without events says how far there was nothing else; one that opens a watch says nothing of the kind.
    if (events.length === 0 && !created) this.#revisions.advance(revision);
    else this.#revisions.advance(events.at(-1)?.entry.modRevision ?? 0);
    this.#revisions.trim(maxLogEvents);
    this.#wake();
  }

  #publish(key: string, revision: number, value: StoredValue | undefined): void {
    const previous = this.#revisions.current(key);
    if (previous !== undefined && previous.modRevision >= revision) return;
    if (previous === undefined && value === undefined) return;
    this.#revisions.publish({ type: value === undefined ? 'delete' : 'put', key, revision, value, previous });
  }

  /** The watch was away for longer than etcd remembers: what is different now is told as if it had just happened. */
  async #catchUp(): Promise<void> {
    const { entries, revision } = await this.#readAll();
    const present = new Set(entries.map(({ key }) => key));
    const before = this.#revisions.range(this.#prefix, {});
    const changed = entries.filter(({ key, modRevision }) => this.#revisions.current(key)?.modRevision !== modRevision);
    for (const { key, modRevision, value } of changed.sort((left, right) => left.modRevision - right.modRevision))
      this.#publish(key, modRevision, value);
    if (before.outcome === 'read')
      for (const { key } of before.entries) if (!present.has(key)) this.#publish(key, revision, undefined);
    this.#revisions.advance(revision);
    this.#wake();
  }

  /** Resolves when the copy shows a revision. Rejects with StoreTimeout when it does not in time. */
  #reached(revision: number): Promise<void> {
    if (this.revision >= revision) return Promise.resolve();
    if (this.#stop.signal.aborted) return Promise.reject(new StoreUnavailable('the store is closed'));
    const { clock } = this.#environment;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      revision,
      settle: (failure) => {
        limit.cancel();
        stall.cancel();
        this.#waiting.delete(waiter);
        if (failure === undefined) resolve();
        else reject(failure);
      },
    };
    const stream = this.#stream;
    const stall = clock.schedule(stallMs, () => this.#giveUpOn(stream));
    const limit = clock.schedule(patienceMs, () => waiter.settle(new StoreTimeout('etcd: its watch does not answer')));
    this.#waiting.add(waiter);
    return promise;
  }

  /** A member that takes requests and tells no news: whoever follows goes to another. */
  #giveUpOn(stream: ClientDuplexStream<Buffer, Buffer> | undefined): void {
    if (stream === undefined || this.#stream !== stream) return;
    if (this.#environment.clock.monotonic() - this.#heardAtMs >= stallMs) stream.cancel();
  }

  #wake(): void {
    for (const waiter of [...this.#waiting]) if (waiter.revision <= this.revision) waiter.settle();
  }
}

function entryOf({ key, value, createRevision, modRevision }: KeyValue): StoredEntry {
  return { key, value: { bytes: value }, createRevision, modRevision };
}
