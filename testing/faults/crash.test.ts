import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '#client/client.ts';
import { createHttpClient } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { ProaProcess } from '../e2e/proa.ts';

const namespace = 'default';
const kills = 5;
const writers = 24;
/** Acknowledged writes between two kills, so that each kill hits work in progress. */
const writesBetweenKills = 200;

/** All writers have a field in it, so that their writes build on each other before they are on the disk. */
const common = 'common';

/** What one writer knows about its own objects, and about its field of the common one; it alone writes them. */
interface Ledger {
  /** The last value that the server acknowledged, and the last one that was sent; the same for the common object. */
  acknowledged: number;
  acknowledgedInCommon: number;
  sent: number;
  readonly created: Map<string, string>;
  readonly deleted: Set<string>;
  /** Objects of a request that got no answer: they may be there or not. */
  readonly unsure: Set<string>;
}

describe('a crash under load', () => {
  let cluster: ProaProcess;
  const client = (): Client => createHttpClient(loadKubeconfig({ path: cluster.kubeconfig, context: 'proa' }).client);

  before(async () => {
    cluster = await ProaProcess.start({ nodes: 0 });
  });

  after(() => cluster.remove());

  test('loses no acknowledged write, brings back no deleted object, and leaves no watcher in the dark', async () => {
    await client().create(ConfigMap, { metadata: { name: common, namespace } });
    const ledgers = await Promise.all(Array.from({ length: writers }, (_, index) => open(client(), index)));
    const { metadata } = await client().list(ConfigMap, { namespace });
    const startedAt = metadata.resourceVersion;
    let last = 0n;
    for (let round = 0; round < kills; round++) {
      const stop = new AbortController();
      let writes = 0;
      const enough = Promise.withResolvers<void>();
      const acknowledge = (): void => {
        if (++writes === writesBetweenKills) enough.resolve();
      };
      const shared = client();
      const writing = ledgers.map((ledger, index) => write(shared, index, ledger, acknowledge, stop.signal));
      await Promise.race([enough.promise, pause(10_000)]);
      await pause(randomInt(100));
      await cluster.crash();
      stop.abort();
      await Promise.all(writing);
      assert.ok(writes >= writesBetweenKills, `only ${writes} writes went through`);
      await cluster.start();
      last = await check(client(), ledgers, last);
    }
    // As upstream, a new process knows no events from before it: who watches from there has to list again.
    const watching = client().watch(ConfigMap, { namespace, resourceVersion: startedAt, timeoutSeconds: 1 });
    await assert.rejects(watching[Symbol.asyncIterator]().next(), (error) => isReason(error, 'Expired'));
  });
});

async function open(client: Client, index: number): Promise<Ledger> {
  await client.create(ConfigMap, { metadata: { name: `counter-${index}`, namespace }, data: { value: '0' } });
  return {
    acknowledged: 0,
    acknowledgedInCommon: 0,
    sent: 0,
    created: new Map(),
    deleted: new Set(),
    unsure: new Set(),
  };
}

/** Writes without a pause until it is told to stop or the server is gone. */
async function write(
  client: Client,
  index: number,
  ledger: Ledger,
  acknowledge: () => void,
  signal: AbortSignal,
): Promise<void> {
  const attempt = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      acknowledge();
      return true;
    } catch {
      ledger.unsure.add(name);
      return false;
    }
  };
  while (!signal.aborted) {
    const value = ++ledger.sent;
    const counted = await attempt('', async () => {
      const body = { data: { value: String(value) } };
      await client.patch(ConfigMap, { namespace, name: `counter-${index}` }, { type: 'merge', body });
      ledger.acknowledged = value;
    });
    const noted = await attempt('', async () => {
      const body = { data: { [`writer-${index}`]: String(value) } };
      await client.patch(ConfigMap, { namespace, name: common }, { type: 'merge', body });
      ledger.acknowledgedInCommon = value;
    });
    if (!counted || !noted) return;
    const name = `made-${index}-${value}`;
    const made = await attempt(name, async () => {
      const { metadata } = await client.create(ConfigMap, { metadata: { name, namespace } });
      ledger.created.set(name, metadata.resourceVersion!);
    });
    if (!made) return;
    const gone = `made-${index}-${value - 3}`;
    if (!ledger.created.has(gone)) continue;
    const removed = await attempt(gone, async () => {
      await client.delete(ConfigMap, { namespace, name: gone });
      ledger.deleted.add(gone);
    });
    if (!removed) return;
  }
}

/** Compares the server with all ledgers. @returns its revision, which never goes back. */
async function check(client: Client, ledgers: readonly Ledger[], last: bigint): Promise<bigint> {
  const { items, metadata } = await client.list(ConfigMap, { namespace });
  const found = new Map(items.map((item) => [item.metadata.name!, item]));
  const revision = BigInt(metadata.resourceVersion!);
  assert.ok(revision >= last);
  for (const [index, ledger] of ledgers.entries()) {
    const value = Number(found.get(`counter-${index}`)?.data?.['value']);
    assert.ok(
      value >= ledger.acknowledged && value <= ledger.sent,
      `counter ${index} is ${value}, but ${ledger.acknowledged} was acknowledged`,
    );
    const inCommon = Number(found.get(common)?.data?.[`writer-${index}`] ?? 0);
    assert.ok(
      inCommon >= ledger.acknowledgedInCommon && inCommon <= ledger.sent,
      `field ${index} is ${inCommon}, but ${ledger.acknowledgedInCommon} was acknowledged`,
    );
    for (const [name, version] of ledger.created) {
      if (ledger.unsure.has(name)) continue;
      const expected = ledger.deleted.has(name) ? undefined : version;
      assert.equal(found.get(name)?.metadata.resourceVersion, expected, name);
      assert.ok(BigInt(version) <= revision);
    }
  }
  return revision;
}
