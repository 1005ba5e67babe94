import { systemClock } from '#base/clock.ts';
import { secureRandom } from '#base/random.ts';
import { runKubectl } from '#cli/kubectl.ts';

/** Runs kubectl on this process's own streams, and gives up when the person interrupts. */
export async function kubectl(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort(new Error('interrupted'));
    // A second one is for good.
    process.once('SIGINT', () => process.exit(130));
  });
  process.once('SIGTERM', () => interrupted.abort(new Error('terminated')));
  // Whoever reads may have seen enough: `kubectl get pods | head`.
  process.stdout.on('error', () => process.exit(0));
  return runKubectl(args, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    clock: systemClock({ keepAlive: true }),
    random: secureRandom(),
    signal: interrupted.signal,
  });
}
