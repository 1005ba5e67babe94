import { readEncryptionConfiguration } from '#apiserver/encryption/configuration.ts';
import { ApiServer } from '#apiserver/server.ts';
import { sleep, systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { Metrics } from '#base/metrics.ts';
import { seededRandom } from '#base/random.ts';
import { VirtualClock } from '#base/virtual-clock.ts';
import { startControllers } from '#controllers/index.ts';
import { startScheduler } from '#scheduler/index.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { encryptionText } from '../encryption-key.ts';
import { newSigningKey } from '../signing-key.ts';

const rehearsedMs = 2000;

/** Node cleans up behind a collection when the event loop turns; some rounds find what the ones before set free. */
const collections = 3;
const turnMs = 20;

/**
 * Starts a cluster in memory and ends it: what a start runs is compiled then, and stays so in the snapshot. It touches
 * nothing of the machine, and leaves nothing behind.
 */
export async function rehearse(): Promise<void> {
  const { any } = AbortSignal;
  AbortSignal.any = anyAborted;
  await startAndStop();
  AbortSignal.any = any;
  for (let round = 0; round < collections; round++) {
    globalThis.gc?.();
    await sleep(systemClock({ keepAlive: true }), turnMs);
  }
}

/** Node's own leaves signals to be cleaned up, and V8 takes no snapshot while there are any. */
function anyAborted(signals: Iterable<AbortSignal>): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
}

async function startAndStop(): Promise<void> {
  const environment = {
    clock: new VirtualClock(),
    random: seededRandom(1),
    log: silentLog,
    metrics: new Metrics(),
  };
  const store = new MemoryStore();
  const text = encryptionText(Buffer.alloc(32).toString('base64'));
  const openKms = (): never => {
    throw new Error('a rehearsal has no key service');
  };
  readEncryptionConfiguration(text, { random: environment.random, openKms });
  const server = await ApiServer.start({
    store,
    environment,
    tokenSigningKey: newSigningKey(),
    serviceCidr: '10.96.0.0/16',
    admission: { enable: ['NodeRestriction'] },
  });
  const client = server.loopback();
  const stopping = new AbortController();
  const parts = [
    startControllers({ client, environment, rootCa: 'none' }, stopping.signal),
    startScheduler({ client, environment }, stopping.signal),
  ];
  await environment.clock.advance(rehearsedMs);
  stopping.abort();
  await Promise.all(parts);
  server.stop();
  await store.close();
}
