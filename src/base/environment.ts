import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Random } from './random.ts';

/** What every component is given instead of the ambient world. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where components count what they do; absent where nobody asks. */
  readonly metrics?: Metrics;
}
