import type { Clock } from '#base/clock.ts';
import { exponentialBounds, type Metrics } from '#base/metrics.ts';
import { ApiError } from '#machinery/errors.ts';

/** Upstream's bounds, in seconds. */
const bounds = exponentialBounds(0.001, 2, 15);

/** Counts the turns of a publisher by the code that ended them: `<name>_sync_total` and `<name>_sync_duration_seconds`. */
export function publisherMeter(
  metrics: Metrics,
  clock: Clock,
  name: string,
): <T>(work: () => Promise<T>) => Promise<T> {
  const syncs = metrics.counter(`${name}_sync_total`, 'Turns by the code that ended them.');
  const seconds = metrics.histogram(`${name}_sync_duration_seconds`, 'How long those took.', bounds);
  return async (work) => {
    const sinceMs = clock.monotonic();
    let code = '200';
    try {
      return await work();
    } catch (error) {
      code = error instanceof ApiError ? String(error.code) : '500';
      throw error;
    } finally {
      syncs.add({ code });
      seconds.observe({ code }, (clock.monotonic() - sinceMs) / 1000);
    }
  };
}
