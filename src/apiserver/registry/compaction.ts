import { passed } from '#base/clock.ts';
import type { Registry } from './registry.ts';

/**
 * How often old revisions are forgotten: what is older than an interval may not be read any more, what is older than
 * two cannot.
 */
export const defaultCompactionMs = 5 * 60_000;

/** Forgets old revisions until the signal aborts. @param intervalMs 0: somebody else does. */
export async function compactRegularly(
  { store, environment }: Pick<Registry, 'store' | 'environment'>,
  signal: AbortSignal,
  intervalMs = defaultCompactionMs,
): Promise<void> {
  if (intervalMs === 0) return;
  const { clock, log } = environment;
  let previous: number | undefined;
  while (await passed(clock, intervalMs, signal)) {
    const target = previous;
    previous = store.revision;
    if (target === undefined) continue;
    store.compact(target).catch((error: unknown) => log.warn('compaction failed', { error: String(error) }));
  }
}
