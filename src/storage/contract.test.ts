import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { hasEtcd, startEtcd } from '#testing/etcd.ts';
import { EtcdStore } from './etcd/store.ts';
import { MemoryStore } from './memory/store.ts';
import { DiskValue } from './sqlite/disk-value.ts';
import { SqliteStore } from './sqlite/store.ts';
import { type Store, type StoredValue, type StoreEvent, StoreUnavailable } from './store.ts';

const text = (value: string) => (): StoredValue => ({ bytes: new TextEncoder().encode(value) });
const read = (value: StoredValue | undefined) =>
  value === undefined ? undefined : new TextDecoder().decode(value.bytes);

const backends: Record<string, (folder: string) => Promise<Store>> = {
  memory: async () => new MemoryStore(),
  sqlite: (folder) => SqliteStore.open(join(folder, 'state.db')),
  ...(hasEtcd ? { etcd: openEtcd } : {}),
};

/** A member of its own, which ends with the store. */
async function openEtcd(folder: string): Promise<Store> {
  const etcd = await startEtcd(folder);
  const environment = { clock: systemClock({ keepAlive: true }), random: seededRandom(1), log: silentLog };
  const store = await EtcdStore.open({ endpoints: etcd.endpoints, prefix: '/', environment });
  const close = store.close.bind(store);
  return Object.assign(store, {
    async close() {
      await close();
      await etcd.stop();
    },
  });
}

async function put(store: Store, key: string, value: string, expectedRevision = 0): Promise<number> {
  const result = await store.commit({ key, expectedRevision, value: text(value) });
  assert.equal(result.outcome, 'committed');
  return result.outcome === 'committed' ? result.revision : 0;
}

for (const [name, open] of Object.entries(backends)) {
  const on = (title: string, body: (store: Store) => Promise<void>) =>
    test(title, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
      const store = await open(folder);
      try {
        await body(store);
      } finally {
        await store.close();
        await rm(folder, { recursive: true });
      }
    });

  describe(`the ${name} store`, () => {
    on('writes only when the expected revision holds, and says what is there otherwise', async (store) => {
      const first = await put(store, '/a', 'one');
      const refused = await store.commit({ key: '/a', expectedRevision: 0, value: text('two') });
      assert.equal(refused.outcome, 'conflict');
      assert.equal(refused.outcome === 'conflict' && refused.current?.modRevision, first);
      await put(store, '/a', 'two', first);
      assert.equal(read((await store.get('/a'))?.value), 'two');
    });

    on('lets exactly one of many concurrent writers of a key win', async (store) => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          store.commit({ key: '/k', expectedRevision: 0, value: text(`${index}`) }),
        ),
      );
      assert.equal(results.filter(({ outcome }) => outcome === 'committed').length, 1);
    });

    on('lets a write build on one that is still on its way', async (store) => {
      const seen: (string | undefined)[] = [];
      const onEvent = ({ value }: StoreEvent) => seen.push(read(value));
      await store.watch({ prefix: '/k/', fromRevision: store.revision, onEvent, signal: new AbortController().signal });
      const writes = [put(store, '/k/a', '0')];
      for (let round = 1; round < 20; round++) {
        const pending = store.pending?.('/k/a');
        if (pending === undefined) await writes.at(-1);
        writes.push(put(store, '/k/a', `${round}`, (pending?.entry ?? (await store.get('/k/a')))!.modRevision));
      }
      const revisions = await Promise.all(writes);
      assert.deepEqual(
        seen,
        revisions.map((_, index) => `${index}`),
      );
      assert.equal(store.pending?.('/k/a'), undefined);
      assert.equal(read((await store.get('/k/a', { revision: revisions[7]! }))?.value), '7');
    });

    on('lists in key order with a limit, the count of the rest, and a place to go on from', async (store) => {
      for (const key of ['/p/c', '/p/a', '/q/x', '/p/b']) await put(store, key, key);
      const page = await store.range('/p/', { limit: 2 });
      assert.ok(page.outcome === 'read');
      assert.deepEqual(
        page.entries.map(({ key }) => key),
        ['/p/a', '/p/b'],
      );
      assert.equal(page.remaining, 1);
      const rest = await store.range('/p/', { after: '/p/b', revision: page.revision });
      assert.deepEqual(rest.outcome === 'read' && rest.entries.map(({ key }) => key), ['/p/c']);
    });

    on('reads what was there at an older revision', async (store) => {
      const first = await put(store, '/p/a', 'old');
      const second = await put(store, '/p/b', 'b');
      await put(store, '/p/a', 'new', first);
      await store.commit({ key: '/p/b', expectedRevision: second, value: undefined });
      const then = await store.range('/p/', { revision: second });
      assert.deepEqual(then.outcome === 'read' && then.entries.map(({ value }) => read(value)), ['old', 'b']);
      assert.equal(read((await store.get('/p/a', { revision: first }))?.value), 'old');
      assert.equal(read((await store.get('/p/b', { revision: second }))?.value), 'b');
      assert.equal(await store.get('/p/b'), undefined);
    });

    on('replays events after a revision in order, then goes on live, with what each replaced', async (store) => {
      const first = await put(store, '/p/a', '1');
      const second = await put(store, '/p/a', '2', first);
      const events: StoreEvent[] = [];
      const stop = new AbortController();
      const outcome = await store.watch({
        prefix: '/p/',
        fromRevision: first,
        onEvent: (event) => events.push(event),
        signal: stop.signal,
      });
      assert.equal(outcome, 'watching');
      await put(store, '/other', 'x');
      await store.commit({ key: '/p/a', expectedRevision: second, value: undefined });
      stop.abort();
      await put(store, '/p/z', 'unseen');
      assert.deepEqual(
        events.map(({ type, value, previous }) => [type, read(value), read(previous?.value)]),
        [
          ['put', '2', '1'],
          ['delete', undefined, '2'],
        ],
      );
    });

    on('refuses compacted revisions but keeps the latest of every key', async (store) => {
      const first = await put(store, '/a', '1');
      const second = await put(store, '/a', '2', first);
      await put(store, '/b', 'b');
      await store.compact(second);
      assert.equal((await store.range('/', { revision: first })).outcome, 'compacted');
      const watching = await store.watch({
        prefix: '/',
        fromRevision: first,
        onEvent: () => {},
        signal: new AbortController().signal,
      });
      assert.equal(watching, 'compacted');
      const now = await store.range('/');
      assert.deepEqual(now.outcome === 'read' && now.entries.map(({ value }) => read(value)), ['2', 'b']);
    });
  });
}

test('the sqlite store holds every acknowledged write, its revisions and its history after it is opened again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
  const file = join(folder, 'state.db');
  const before = await SqliteStore.open(file);
  const first = await put(before, '/a', '1');
  await Promise.all(Array.from({ length: 200 }, (_, index) => put(before, `/n/${index}`, `${index}`)));
  await put(before, '/a', '2', first);
  await before.close();
  const after = await SqliteStore.open(file);
  assert.equal(after.revision, 203);
  assert.equal(read((await after.get('/a', { revision: first }))?.value), '1');
  const all = await after.range('/n/');
  assert.equal(all.outcome === 'read' && all.entries.length, 200);
  const events: StoreEvent[] = [];
  await after.watch({
    prefix: '/a',
    fromRevision: 0,
    onEvent: (event) => events.push(event),
    signal: AbortSignal.abort(),
  });
  assert.deepEqual(
    events.map(({ value, previous }) => [read(value), read(previous?.value)]),
    [
      ['1', undefined],
      ['2', '1'],
    ],
  );
  await after.close();
  await rm(folder, { recursive: true });
});

test('in the sqlite store, what builds on a write that fails, fails with it, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
  const file = join(folder, 'state.db');
  const store = await SqliteStore.open(file);
  const other = new DatabaseSync(file);
  other.exec(
    "CREATE TRIGGER refusing BEFORE INSERT ON log WHEN NEW.key = '/bad' BEGIN SELECT RAISE(ABORT, 'no room'); END",
  );
  other.close();
  const first = put(store, '/bad', '1');
  // The first is in a transaction of its own by now.
  await Promise.resolve();
  const second = put(store, '/bad', '2', store.pending('/bad')!.entry.modRevision);
  const third = put(store, '/bad', '3', store.pending('/bad')!.entry.modRevision);
  const good = put(store, '/good', '1');
  for (const write of [first, second, third]) await assert.rejects(write, StoreUnavailable);
  await good;
  assert.equal(await store.get('/bad'), undefined);
  assert.equal(store.pending('/bad'), undefined);
  assert.equal(read((await store.get('/good'))?.value), '1');
  await store.close();
  await rm(folder, { recursive: true });
});

test('the sqlite store reads what an earlier process wrote when it is asked for, also for who holds what was replaced and compacted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
  const first = await SqliteStore.open(join(folder, 'state.db'));
  const revision = await put(first, '/k', 'old');
  await first.close();
  const store = await SqliteStore.open(join(folder, 'state.db'));
  const held = await store.get('/k');
  assert.equal(read(held?.value), 'old');
  await put(store, '/k', 'new', revision);
  await store.compact(store.revision);
  assert.equal(read(held?.value), 'old');
  assert.equal(read((await store.get('/k'))?.value), 'new');
  await store.close();
  await rm(folder, { recursive: true });
});

test('the sqlite store gives back to the disk what nobody can read any more, but for a few megabytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
  const store = await SqliteStore.open(join(folder, 'state.db'));
  const large = 'x'.repeat(10_000);
  const names = Array.from({ length: 3000 }, (_, index) => `/k/${index}`);
  const revisions = await Promise.all(names.map((name) => put(store, name, large)));
  const megabytes = async (): Promise<number> => (await stat(join(folder, 'state.db'))).size / 1e6;
  assert.ok((await megabytes()) > 25);
  await Promise.all(
    names.map((key, index) => store.commit({ key, expectedRevision: revisions[index]!, value: undefined })),
  );
  await store.compact(store.revision);
  await store.close();
  assert.ok((await megabytes()) < 8, `${await megabytes()} MB`);
  await rm(folder, { recursive: true });
});

/** A value that lets go of its bytes when it may, as the API server's objects do. */
class LettingGo implements StoredValue {
  #kept: StoredValue;

  constructor(value: string) {
    this.#kept = text(value)();
  }

  get bytes(): Uint8Array {
    return this.#kept.bytes;
  }

  get keepsBytes(): boolean {
    return this.#kept.keepsBytes === true;
  }

  get isOnDisk(): boolean {
    return this.#kept instanceof DiskValue;
  }

  settle(source: StoredValue): void {
    this.#kept = source;
  }

  keep(): void {
    this.#kept.keep?.();
  }
}

test('the sqlite store counts on from its last write, also where that was a deletion and is compacted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
  const file = join(folder, 'state.db');
  let store = await SqliteStore.open(file);
  await store.commit({ key: '/a', expectedRevision: 0, value: text('1') });
  await store.commit({ key: '/a', expectedRevision: store.revision, value: undefined });
  const { revision } = store;
  for (const compacts of [false, true]) {
    if (compacts) await store.compact(revision);
    await store.close();
    store = await SqliteStore.open(file);
    assert.equal(store.revision, revision);
  }
  await store.close();
  await rm(folder, { recursive: true });
});

test('in the sqlite store, of what this process wrote the latest stays whole, of some the bytes, and the rest is read from the disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
  const store = await SqliteStore.open(join(folder, 'state.db'), { recent: { whole: 20, bytes: 10 } });
  const write = async (key: string, content: string, expectedRevision = 0): Promise<number> => {
    const result = await store.commit({ key, expectedRevision, value: () => new LettingGo(content) });
    return result.outcome === 'committed' ? result.revision : assert.fail('somebody else wrote');
  };
  const whereabouts = async (...keys: readonly string[]): Promise<string> => {
    const values = await Promise.all(keys.map(async (key) => (await store.get(key))?.value as LettingGo));
    return values.map(({ keepsBytes, isOnDisk }) => (isOnDisk ? 'disk' : keepsBytes ? 'bytes' : 'whole')).join(' ');
  };
  const first = await write('/a', 'a'.repeat(9));
  await write('/b', 'b'.repeat(9));
  // What is written anew is young again, and what it replaced does not count.
  await write('/a', 'A'.repeat(9), first);
  assert.equal(await whereabouts('/a', '/b'), 'whole whole');
  await write('/c', 'c'.repeat(9));
  assert.equal(await whereabouts('/a', '/b', '/c'), 'whole bytes whole');
  await write('/d', 'd'.repeat(9));
  assert.equal(await whereabouts('/a', '/b', '/c', '/d'), 'bytes disk whole whole');
  const held = await store.get('/b');
  assert.equal(read(held?.value), 'b'.repeat(9));
  // Replaced and compacted, it is still there for who holds it.
  await write('/b', 'B'.repeat(9), held!.modRevision);
  await store.compact(store.revision);
  assert.equal(read(held?.value), 'b'.repeat(9));
  assert.equal(await whereabouts('/a', '/b', '/c', '/d'), 'disk whole bytes whole');
  const values = await store.range('/');
  assert.deepEqual(values.outcome === 'read' && values.entries.map(({ value }) => read(value)?.[0]), [
    'A',
    'B',
    'c',
    'd',
  ]);
  await store.close();
  await rm(folder, { recursive: true });
});

if (hasEtcd)
  test('the etcd store keeps its keys below the prefix that it is told of', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proa-store-'));
    const etcd = await startEtcd(folder);
    const environment = { clock: systemClock({ keepAlive: true }), random: seededRandom(1), log: silentLog };
    const store = await EtcdStore.open({ endpoints: etcd.endpoints, root: '/other/place', environment });
    const all = await EtcdStore.open({ endpoints: etcd.endpoints, prefix: '/', environment });
    const seen: StoreEvent[] = [];
    const onEvent = (event: StoreEvent): void => void seen.push(event);
    await store.watch({
      prefix: '/registry/',
      fromRevision: store.revision,
      onEvent,
      signal: new AbortController().signal,
    });
    const revision = await put(store, '/registry/pods/a', 'one');
    const refused = await store.commit({ key: '/registry/pods/a', expectedRevision: 0, value: text('two') });
    assert.equal(refused.outcome === 'conflict' && refused.current?.key, '/registry/pods/a');
    await put(store, '/registry/pods/a', 'two', revision);
    const then = await store.range('/registry/pods/', { revision });
    assert.deepEqual(then.outcome === 'read' && then.entries.map(({ key }) => key), ['/registry/pods/a']);
    await all.fresh();
    assert.equal(read((await all.get('/other/place/pods/a'))?.value), 'two');
    assert.deepEqual(
      seen.map(({ key }) => key),
      ['/registry/pods/a', '/registry/pods/a'],
    );
    await store.close();
    await all.close();
    await etcd.stop();
    await rm(folder, { recursive: true });
  });
