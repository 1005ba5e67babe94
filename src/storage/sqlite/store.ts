import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { Revisions } from '../revisions.ts';
import {
  type CommitResult,
  entryAfter,
  type PendingEntry,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoredEntry,
  type StoreEvent,
  StoreUnavailable,
  type WatchOptions,
  type Write,
} from '../store.ts';
import { Batch, type Pending } from './batch.ts';
import { DiskValue } from './disk-value.ts';
import type { FromWriter, Rows, ToWriter, WriterData } from './messages.ts';
import { type RecentLimits, RecentValues } from './recent-values.ts';
import { compactedRevision, lastRevision, prepareSchema } from './schema.ts';

/** Events kept in memory for watchers that resume; older revisions are read from disk. */
const maxLogEvents = 1024;
/** Writes that one transaction takes at most. */
const maxBatch = 512;

/** Writes for which the writer is not left waiting. */
const fullBatch = 32;

/**
 * The embedded store: SQLite in WAL mode behind one writer thread. Compare-and-swap is decided here in memory,
 * writes that arrive while a transaction is on its way share the next one, and nothing is visible before it is on
 * the disk.
 */
export class SqliteStore implements Store {
  readonly #revisions = new Revisions();
  readonly #recent: RecentValues;
  readonly #reader: DatabaseSync;
  readonly #worker: Worker;
  /** What is to be sent next comes first; only the last is not full. */
  #queue: Batch[] = [];
  #inFlight: Batch | undefined;
  /** What is durable, while it is being told one write after the other. */
  #settling: Batch | undefined;
  /** The number of the batch that was sent last. */
  #batch = 0;
  readonly #durable: WriterData['durable'];
  #nextRevision: number;
  #compacted: number;
  #compactions: (() => void)[] = [];
  #closed: (() => void) | undefined;

  private constructor(
    {
      reader,
      worker,
      durable,
    }: { readonly reader: DatabaseSync; readonly worker: Worker } & Pick<WriterData, 'durable'>,
    recent: RecentLimits | undefined,
  ) {
    this.#reader = reader;
    this.#worker = worker;
    this.#durable = durable;
    this.#compacted = compactedRevision(reader);
    const rows = reader.prepare(
      'SELECT revision, key, create_revision FROM log WHERE superseded IS NULL AND value IS NOT NULL',
    );
    const read = reader.prepare('SELECT value FROM log WHERE revision = ?');
    this.#recent = new RecentValues(read, recent);
    const onDisk = (row: Record<string, unknown>): StoredEntry => {
      const revision = Number(row['revision']);
      const createRevision = Number(row['create_revision']);
      return { key: String(row['key']), value: new DiskValue(read, revision), createRevision, modRevision: revision };
    };
    this.#revisions.load(rows.iterate().map(onDisk), lastRevision(reader));
    this.#nextRevision = this.#revisions.revision + 1;
    worker.on('message', (message: FromWriter) => this.#onMessage(message));
    worker.on('error', (error) => this.#failAll(error.message));
  }

  /** Opens or creates the database. Rejects when the file is damaged or cannot be written. */
  static async open(file: string, { recent }: { readonly recent?: RecentLimits } = {}): Promise<SqliteStore> {
    const reader = new DatabaseSync(file);
    prepareSchema(reader);
    const durable = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const workerData: WriterData = { file, durable };
    const worker = new Worker(writerModule(), { workerData });
    worker.unref();
    return new SqliteStore({ reader, worker, durable }, recent);
  }

  get revision(): number {
    return this.#revisions.revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  get sizeBytes(): number {
    const row = this.#reader
      .prepare('SELECT page_count * page_size AS size FROM pragma_page_count(), pragma_page_size()')
      .get();
    return Number(row?.['size'] ?? 0);
  }

  async get(key: string, { revision }: { readonly revision?: number } = {}): Promise<StoredEntry | undefined> {
    if (revision === undefined || revision >= this.#revisions.logStart) return this.#revisions.get(key, revision);
    const row = this.#reader
      .prepare(
        'SELECT revision, key, create_revision, value FROM log WHERE key = ? AND revision <= ? AND (superseded IS NULL OR superseded > ?) AND value IS NOT NULL',
      )
      .get(key, revision, revision);
    return row === undefined ? undefined : entryOf(row);
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    const { revision = this.revision, limit = 0, after = '' } = options;
    if (revision < this.#compacted) return { outcome: 'compacted' };
    if (revision >= this.#revisions.logStart) return this.#revisions.range(prefix, options);
    const where =
      'FROM log WHERE key > ? AND key < ? AND revision <= ? AND (superseded IS NULL OR superseded > ?) AND value IS NOT NULL';
    const end = `${prefix}\u{10ffff}`;
    const entries = this.#reader
      .prepare(`SELECT revision, key, create_revision, value ${where} ORDER BY key LIMIT ?`)
      .all(after > prefix ? after : prefix, end, revision, revision, limit > 0 ? limit : -1)
      .map(entryOf);
    const last = entries.at(-1);
    if (limit === 0 || last === undefined || entries.length < limit)
      return { outcome: 'read', entries, revision, remaining: 0 };
    const rest = this.#reader.prepare(`SELECT count(*) AS count ${where}`).get(last.key, end, revision, revision);
    return { outcome: 'read', entries, revision, remaining: Number(rest?.['count'] ?? 0) };
  }

  pending(key: string): PendingEntry | undefined {
    const pending = this.#pending(key);
    const entry = pending === undefined ? undefined : entryAfter(pending.event);
    return entry && { entry, settled: pending!.settled };
  }

  /** The last write of a key that is still on its way. */
  #pending(key: string): Pending | undefined {
    for (let index = this.#queue.length - 1; index >= 0; index--) {
      const waiting = this.#queue[index]!.latest(key);
      if (waiting !== undefined) return waiting;
    }
    return (this.#inFlight ?? this.#settling)?.latest(key);
  }

  async commit(write: Write): Promise<CommitResult> {
    const { key, expectedRevision, value } = write;
    // A write that is still on its way decides whether this one conflicts, unless this one builds on it: wait for it
    // rather than guess.
    let base = this.#pending(key);
    while (base !== undefined && (base.event.revision !== expectedRevision || base.event.value === undefined)) {
      await base.settled;
      base = this.#pending(key);
    }
    const previous = base === undefined ? this.#revisions.current(key) : entryAfter(base.event);
    if ((previous?.modRevision ?? 0) !== expectedRevision) return { outcome: 'conflict', current: previous };
    previous?.value.keep?.();
    const revision = this.#nextRevision++;
    const made = value?.(revision);
    const event: StoreEvent = { type: made === undefined ? 'delete' : 'put', key, revision, value: made, previous };
    return this.#enqueue(event, base);
  }

  #enqueue(event: StoreEvent, base: Pending | undefined): Promise<CommitResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CommitResult>();
    const settled = promise.then(
      () => {},
      () => {},
    );
    const pending: Pending = { event, base, settled, isSettled: false, resolve, reject };
    const batch = this.#openBatch();
    batch.add(pending);
    // Everything that this turn of the event loop writes shares one transaction.
    if (this.#inFlight === undefined && batch.writes.length === 1) queueMicrotask(() => this.#flush());
    // The writer's answer waits behind the requests that have come meanwhile; under load it need not idle until then.
    else if (batch.writes.length >= fullBatch && this.#isDurable()) this.#settle(undefined);
    return promise;
  }

  /** The batch that takes what is written now. */
  #openBatch(): Batch {
    const last = this.#queue.at(-1);
    if (last !== undefined && last.writes.length < maxBatch) return last;
    const batch = new Batch();
    this.#queue.push(batch);
    return batch;
  }

  /** Whether what is on its way has arrived. */
  #isDurable(): boolean {
    return this.#inFlight !== undefined && Atomics.load(this.#durable, 0) === this.#batch;
  }

  #flush(): void {
    if (this.#inFlight !== undefined) return;
    const batch = this.#queue.shift();
    if (batch === undefined) return;
    this.#inFlight = batch;
    this.#worker.ref();
    const rows = rowsOf(batch.writes.map(({ event }) => event));
    this.#send({ type: 'write', batch: ++this.#batch, rows }, [rows.values.buffer]);
  }

  #onMessage(message: FromWriter): void {
    switch (message.type) {
      case 'opened':
        return;
      case 'written':
        if (this.#inFlight !== undefined && message.batch === this.#batch) this.#settle(message.failure);
        return;
      case 'compacted':
        if (message.more) this.#send({ type: 'compact', revision: message.revision });
        else this.#compactions.shift()?.();
        return;
      case 'closed':
        this.#closed?.();
    }
  }

  #settle(failure: string | undefined): void {
    const batch = this.#inFlight;
    if (batch === undefined) return;
    this.#inFlight = undefined;
    this.#settling = batch;
    if (failure === undefined) for (const pending of batch.writes) this.#publish(pending);
    else this.#refuse([...batch.writes, ...this.#withdraw(batch.writes)], failure);
    this.#settling = undefined;
    this.#revisions.trim(maxLogEvents);
    if (this.#queue.length > 0) this.#flush();
    else this.#worker.unref();
  }

  #publish(pending: Pending): void {
    const { event, resolve } = pending;
    pending.isSettled = true;
    // Or the latest of an object that is written without a pause would keep all before it.
    pending.base = undefined;
    this.#revisions.publish(event);
    this.#recent.replace(event.previous, entryAfter(event));
    resolve({ outcome: 'committed', revision: event.revision, value: event.value });
  }

  /** Takes out of the queue what builds on writes that failed. */
  #withdraw(failed: readonly Pending[]): readonly Pending[] {
    const gone = new Set(failed);
    // What builds on another write comes after it.
    const waiting = this.#queue.flatMap(({ writes }) => writes);
    for (const pending of waiting) if (pending.base !== undefined && gone.has(pending.base)) gone.add(pending);
    for (const batch of this.#queue) batch.without(gone);
    this.#queue = this.#queue.filter(({ writes }) => writes.length > 0);
    return waiting.filter((pending) => gone.has(pending));
  }

  #refuse(writes: readonly Pending[], reason: string): void {
    for (const pending of writes) {
      pending.isSettled = true;
      pending.reject(new StoreUnavailable(reason));
    }
  }

  #failAll(reason: string): void {
    this.#refuse(this.#onTheirWay(), reason);
    this.#queue = [];
    this.#inFlight = undefined;
  }

  #onTheirWay(): readonly Pending[] {
    return [...(this.#inFlight?.writes ?? []), ...this.#queue.flatMap(({ writes }) => writes)];
  }

  #send(message: ToWriter, handedOver: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handedOver);
  }

  async watch(options: WatchOptions): Promise<'watching' | 'compacted'> {
    if (options.fromRevision < this.#compacted) return 'compacted';
    if (options.fromRevision < this.#revisions.logStart) this.#replay(options);
    this.#revisions.watch(options.prefix, options.fromRevision, options.onEvent, options.signal);
    return 'watching';
  }

  /** Events older than the log in memory, from disk. */
  #replay({ prefix, fromRevision, onEvent }: WatchOptions): void {
    const rows = this.#reader
      .prepare(
        'SELECT revision, key, create_revision, value FROM log WHERE revision > ? AND revision <= ? ORDER BY revision',
      )
      .all(fromRevision, this.#revisions.logStart);
    const replaced = this.#reader.prepare('SELECT revision, key, create_revision, value FROM log WHERE superseded = ?');
    for (const row of rows) {
      const key = String(row['key']);
      if (!key.startsWith(prefix)) continue;
      const revision = Number(row['revision']);
      const before = replaced.get(revision);
      const previous = before === undefined || before['value'] === null ? undefined : entryOf(before);
      const value = row['value'] === null ? undefined : entryOf(row).value;
      onEvent({ type: value === undefined ? 'delete' : 'put', key, revision, value, previous });
    }
  }

  compact(revision: number): Promise<void> {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.revision));
    this.#revisions.forget(this.#compacted);
    return new Promise((resolve) => {
      this.#compactions.push(resolve);
      this.#send({ type: 'compact', revision: this.#compacted });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#onTheirWay().map(({ settled }) => settled));
    this.#worker.ref();
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#send({ type: 'close' });
    });
    this.#reader.close();
  }
}

function rowsOf(events: readonly StoreEvent[]): Rows {
  const values = events.map(({ value }) => value?.bytes);
  const whole = new Uint8Array(values.reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0));
  let at = 0;
  for (const bytes of values) {
    if (bytes === undefined) continue;
    whole.set(bytes, at);
    at += bytes.length;
  }
  return {
    revisions: events.map(({ revision }) => revision),
    keys: events.map(({ key }) => key),
    createRevisions: events.map(({ revision, previous }) => previous?.createRevision ?? revision),
    previousRevisions: events.map(({ previous }) => previous?.modRevision ?? 0),
    lengths: values.map((bytes) => bytes?.length ?? -1),
    values: whole,
  };
}

function entryOf(row: Record<string, unknown>): StoredEntry {
  return {
    key: String(row['key']),
    value: { bytes: row['value'] as Uint8Array },
    createRevision: Number(row['create_revision']),
    modRevision: Number(row['revision']),
  };
}

/** The writer's module: the source in development, a file beside the bundle in a release. */
function writerModule(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './sqlite-writer.js', import.meta.url);
}
