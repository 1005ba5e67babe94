import { systemClock } from '#base/clock.ts';
import { secureRandom } from '#base/random.ts';
import { runApiServer } from '../../standalone/api-server.ts';

const longestTimerMs = 0x7fffffff;

/** The API server alone, in place of the official program. */
export async function kubeApiServer(args: readonly string[]): Promise<number> {
  // Nothing else may be left to keep the process alive while it starts or ends; then no timer that is left over does.
  const working = systemClock({ keepAlive: true }).schedule(longestTimerMs, () => {});
  try {
    return await runApiServer(args, { clock: systemClock(), random: secureRandom() });
  } finally {
    working.cancel();
  }
}
