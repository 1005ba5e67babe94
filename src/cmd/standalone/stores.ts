import type { Environment } from '#base/environment.ts';
import { EtcdStore } from '#storage/etcd/store.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import type { Store } from '#storage/store.ts';
import type { Flags } from './flags.ts';
import { fileOf } from './options.ts';

/** By this header our `etcd` says that it keeps nothing itself. */
export const storeHeader = 'x-proa-store';
const probeTimeoutMs = 5_000;

export interface OpenedStore {
  readonly store: Store;
  /** Values are kept as the official server keeps them, which may read them too. */
  readonly upstreamForm: boolean;
}

/** The store behind `--etcd-servers`: our own memory where our own `etcd` answers, else that etcd. */
export async function openStore(flags: Flags, environment: Environment): Promise<OpenedStore> {
  const servers = flags.list('etcd-servers') ?? [];
  for (const server of servers) if (await isOurs(server)) return { store: new MemoryStore(), upstreamForm: false };
  const [ca, certificate, key] = ['etcd-cafile', 'etcd-certfile', 'etcd-keyfile'].map((name) => fileOf(flags, name)[0]);
  const root = flags.text('etcd-prefix');
  const store = await EtcdStore.open({
    endpoints: servers,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(root === undefined ? {} : { root: root.startsWith('/') ? root : `/${root}` }),
    environment,
  });
  return { store, upstreamForm: true };
}

async function isOurs(server: string): Promise<boolean> {
  if (!server.startsWith('http://')) return false;
  try {
    const answer = await fetch(new URL('/version', server), { signal: AbortSignal.timeout(probeTimeoutMs) });
    await answer.arrayBuffer();
    return answer.headers.get(storeHeader) === 'memory';
  } catch {
    // Whoever it is does not speak HTTP/1.1, or is not there yet: the client of etcd will say so.
    return false;
  }
}
