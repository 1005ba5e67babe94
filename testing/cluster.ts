import type { ApiServerOptions } from '#apiserver/assemble.ts';
import { ApiServer } from '#apiserver/server.ts';
import type { Environment } from '#base/environment.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { VirtualClock } from '#base/virtual-clock.ts';
import type { Client, Identity } from '#client/client.ts';
import { newSigningKey } from '#cmd/signing-key.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import type { Store } from '#storage/store.ts';

/** One key for all test clusters: making one takes longer than starting a cluster. */
const signingKey = newSigningKey();

export interface TestApiServer {
  readonly environment: Environment & { readonly clock: VirtualClock };
  readonly server: ApiServer;
  readonly store: Store;
  /** A client that may do everything. */
  readonly client: Client;
  as(identity: Identity): Client;
  stop(): Promise<void>;
}

/** An API server in memory, on a virtual clock, from a seed: no sockets, no files, no controllers. */
export async function startApiServer({
  seed = 1,
  store = new MemoryStore(),
  ...options
}: Partial<ApiServerOptions> & { readonly seed?: number; readonly store?: Store } = {}): Promise<TestApiServer> {
  const environment = { clock: new VirtualClock(), random: seededRandom(seed), log: silentLog };
  const server = await ApiServer.start({
    environment,
    tokenSigningKey: signingKey,
    serviceCidr: '10.96.0.0/16',
    ...options,
    store,
  });
  return {
    environment,
    server,
    store,
    client: server.loopback(),
    as: (identity) => server.client(identity),
    async stop() {
      server.stop();
      await store.close();
    },
  };
}

/** An API server in memory on the machine's clock, for tests that wait for the machine. */
export async function startRealApiServer(
  environment: Environment,
): Promise<{ readonly client: Client; stop(): Promise<void> }> {
  const store = new MemoryStore();
  const server = await ApiServer.start({
    store,
    environment,
    tokenSigningKey: signingKey,
    serviceCidr: '10.96.0.0/16',
  });
  return {
    client: server.loopback(),
    async stop() {
      server.stop();
      await store.close();
    },
  };
}
