import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { secureRandom } from '#base/random.ts';
import { connectContainerd, removeAllPods, stopContainerd } from '#kubelet/containerd/daemon/start.ts';
import { isAlive } from '../../alive.ts';
import { isRoot } from '../../config.ts';
import { type RunningCluster, readRunning } from '../../data-folder.ts';
import { dataDirOf, machineNames } from '../../machine-names.ts';
import type { Command } from '../command.ts';

const help = `Stop the cluster: its process, its containers and its containerd. The state is kept; "proa up" goes on from it.

Usage: proa down [--data-dir FOLDER]
`;

/** How long the process may take to end by itself. */
const stopTimeoutMs = 20_000;
const pollMs = 50;

export const down: Command = {
  name: 'down',
  help,
  options: { 'data-dir': { type: 'string' } },
  async run(values) {
    const dataDir = dataDirOf(values);
    const running = readRunning(dataDir);
    if (running !== undefined) await stopProcess(running);
    const stopped = await stopContainers(dataDir);
    process.stdout.write(running === undefined && !stopped ? 'no cluster is running\n' : 'the cluster is down\n');
    return 0;
  },
};

async function stopProcess({ pid }: RunningCluster): Promise<void> {
  const clock = systemClock({ keepAlive: true });
  const deadline = clock.monotonic() + stopTimeoutMs;
  process.kill(pid, 'SIGTERM');
  while (isAlive(pid)) {
    if (clock.monotonic() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(clock, pollMs);
  }
}

/** Ends what outlives the process on purpose. @returns whether there was something to end. */
export async function stopContainers(dataDir: string): Promise<boolean> {
  const { runDir } = machineNames(dataDir);
  const socketPath = join(runDir, 'containerd.sock');
  if (!isRoot() || !existsSync(socketPath)) return false;
  const environment = { clock: systemClock({ keepAlive: true }), random: secureRandom(), log: silentLog };
  const signal = AbortSignal.timeout(60_000);
  try {
    const containerd = await connectContainerd({ socketPath, environment }, AbortSignal.timeout(5_000));
    await removeAllPods(containerd.cri, signal);
    containerd.close();
  } catch {
    // A containerd that does not answer is stopped all the same.
  }
  await stopContainerd({ dataDir: join(dataDir, 'node'), runDir, environment }, signal);
  return true;
}
