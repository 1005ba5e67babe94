import { systemClock } from '#base/clock.ts';
import { createLog } from '#base/log.ts';
import { secureRandom } from '#base/random.ts';
import { runApiServer } from '../../standalone/api-server.ts';

/** The API server alone, in place of the official program. */
export function kubeApiServer(args: readonly string[]): Promise<number> {
  const clock = systemClock({ keepAlive: true });
  const log = createLog({ write: (line) => process.stderr.write(`${line}\n`), now: clock.now, level: 'warn' });
  return runApiServer(args, { clock, random: secureRandom(), log });
}
