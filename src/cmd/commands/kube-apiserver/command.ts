import { systemClock } from '#base/clock.ts';
import { secureRandom } from '#base/random.ts';
import { runApiServer } from '../../standalone/api-server.ts';

/** The API server alone, in place of the official program. */
export function kubeApiServer(args: readonly string[]): Promise<number> {
  const clock = systemClock({ keepAlive: true });
  return runApiServer(args, { clock, random: secureRandom() });
}
