import { passed } from '#base/clock.ts';
import type { Registry } from './registry.ts';

/**
 * How often old revisions are forgotten: what is older than an interval may not be read any more, what is older than
 * two cannot.
 */
const intervalMs = 5 * 60_000;

/** Forgets old revisions until the signal aborts. */
export async function compactRegularly({ store, environment }: Registry, signal: AbortSignal): Promise<void> {
  const { clock, log } = environment;
  let previous: number | undefined;
  while (await passed(clock, intervalMs, signal)) {
    const target = previous;
    previous = store.revision;
    if (target === undefined) continue;
    store.compact(target).catch((error: unknown) => log.warn('compaction failed', { error: String(error) }));
  }
}
