import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { hasEtcd, startEtcd } from '#testing/etcd.ts';
import { EtcdStore } from './etcd/store.ts';
import { MemoryStore } from './memory/store.ts';
import { SqliteStore } from './sqlite/store.ts';
import type { Store, StoredValue, StoreEvent } from './store.ts';

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
  assert.equal(after.revision, 202);
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
