import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Random } from './random.ts';

/** What every component is given instead of the ambient world. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
