import { passed } from '#base/clock.ts';
import type { Registry } from './registry.ts';

/** How often old revisions are forgotten: what is older than one interval cannot be read any more. */
const intervalMs = 5 * 60_000;

/** Forgets old revisions until the signal aborts. */
export async function compactRegularly({ store, environment }: Registry, signal: AbortSignal): Promise<void> {
  const { clock, log } = environment;
  for (let previous = store.revision; await passed(clock, intervalMs, signal); ) {
    const target = previous;
    previous = store.revision;
    store.compact(target).catch((error: unknown) => log.warn('compaction failed', { error: String(error) }));
  }
}
