import { MemoryStore } from '#storage/memory/store.ts';
import type { Store } from '#storage/store.ts';

/** By this header our `etcd` says that it keeps nothing itself. */
export const storeHeader = 'x-proa-store';
const probeTimeoutMs = 5_000;

/** The store behind `--etcd-servers`. @throws Error when nobody is there, or somebody whom we cannot use. */
export async function openStore(servers: readonly string[]): Promise<Store> {
  let last: unknown;
  for (const server of servers) {
    try {
      const answer = await fetch(new URL('/version', server), { signal: AbortSignal.timeout(probeTimeoutMs) });
      await answer.arrayBuffer();
      if (answer.headers.get(storeHeader) === 'memory') return new MemoryStore();
      throw new Error(
        `${server} is an etcd of its own, which this server cannot use yet: start the etcd beside this program`,
      );
    } catch (error) {
      last = error;
    }
  }
  throw last instanceof Error ? last : new Error(`no etcd at ${servers.join(', ')}`);
}
