import { openSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { createLog } from '#base/log.ts';
import { Metrics } from '#base/metrics.ts';
import { secureRandom } from '#base/random.ts';
import { type Cluster, startCluster } from '../../cluster.ts';
import type { ClusterConfig } from '../../config.ts';
import { lockDataFolder, makeDataFolder, readRunning, UserError, writeRunning } from '../../data-folder.ts';
import {
  type ClusterAccess,
  checkKubeconfig,
  holdsNothingElse,
  kubeconfigText,
  mergeIntoKubeconfig,
  renewInKubeconfig,
  userKubeconfigPath,
} from '../../kubeconfig.ts';
import type { Pki } from '../../pki.ts';
import { type Command, text, type Values } from '../command.ts';
import { upOptions } from './options.ts';
import { startProgress } from './progress.ts';

const help = `Start a cluster on this machine.

Usage: proa up [flags]

  --detach                start in the background and return when the cluster is ready
  --data-dir FOLDER       where the cluster's state is kept
  --kubeconfig FILE       give access there, instead of adding the context "proa" to your kubeconfig
  --port PORT             port of the API server (6443)
  --advertise-address IP  where pods and other machines reach this server; it then listens everywhere
  --nodes 0|1             real nodes on this machine; 1 needs root on Linux and is then the default
  --simulated-nodes N     nodes that run nothing, for trying out and testing
  --simulate WHAT         how their containers behave: start=200..800,ready=1000,failChance=0.01 (milliseconds; also
                          sandbox, initRun, pull, stop, failAfter)
  --feature-gates A=true  official feature gates, separated by commas
  --etcd-servers URL,URL  keep the state in an etcd that several servers share, instead of in the data folder
  --config FILE           the same settings in YAML: dataDir, port, nodes, simulatedNodes, serviceCidr, podCidr,
                          clusterDomain, featureGates, simulation, etcd, advertiseAddress, bindAddress
`;

export const up: Command = {
  name: 'up',
  help,
  options: {
    detach: { type: 'boolean' },
    'data-dir': { type: 'string' },
    kubeconfig: { type: 'string' },
    port: { type: 'string' },
    'advertise-address': { type: 'string' },
    nodes: { type: 'string' },
    'simulated-nodes': { type: 'string' },
    'feature-gates': { type: 'string' },
    simulate: { type: 'string' },
    'etcd-servers': { type: 'string' },
    config: { type: 'string' },
  },
  async run(values) {
    const options = upOptions(values);
    if (values['detach'] === true) return detach(options.config);
    return foreground(options.config, values, options.notice);
  },
};

const snapshotAfterMs = 3000;
/** What a shell makes of a command that was interrupted. */
const interrupted = 130;
/** How long the parts of a cluster may take to end. */
const stopLimitMs = 15_000;

async function foreground(config: ClusterConfig, values: Values, notice: string | undefined): Promise<number> {
  const clock = systemClock();
  const log = createLog({
    write: (line) => process.stderr.write(`${line}\n`),
    now: clock.now,
    level: process.env['PROA_DEBUG'] === undefined ? 'warn' : 'debug',
  });
  const environment: Environment = { clock, random: secureRandom(), log, metrics: new Metrics() };
  const asked = text(values, 'kubeconfig');
  const kubeconfig = resolve(asked ?? userKubeconfigPath());
  // Making YAML of something takes time: a file of our own is written out.
  const isMerged = asked === undefined || !holdsNothingElse(kubeconfig);
  const ending = new Ending();
  const lock = lockDataFolder(config.dataDir);
  const progress = startProgress(process.stdout, clock);
  let cluster: Cluster;
  try {
    checkKubeconfig(kubeconfig, { isMerged });
    cluster = await startCluster(config, environment, (step) => progress.step(step));
  } catch (error) {
    progress.stop();
    lock.release();
    throw explained(error, config);
  }
  progress.stop();
  if (ending.isAsked) {
    await stopInTime(cluster);
    lock.release();
    return interrupted;
  }
  let replaced: string | undefined;
  try {
    replaced = giveAccess(cluster, kubeconfig, { isMerged });
    note(cluster, config, { kubeconfig, startedAt: new Date(clock.now()).toISOString() });
  } catch (error) {
    await cluster.stop();
    lock.release();
    throw explained(error, config);
  }
  cluster.onRenewed((pki) => renewInKubeconfig(kubeconfig, accessTo(cluster, pki)));
  tellReady(cluster, config, { kubeconfig, replaced, notice });
  const snapshot = laterSnapshot(environment);
  const failure = await Promise.race([ending.asked, cluster.failed.catch((error: Error) => error)]);
  if (process.stdout.isTTY) process.stdout.write('\nstopping; containers keep running until "proa down"\n');
  snapshot.cancel();
  await stopInTime(cluster);
  lock.release();
  if (failure !== undefined) throw failure;
  return 0;
}

async function stopInTime(cluster: Cluster): Promise<void> {
  // Nothing else may be left to keep the process alive while its parts end; and an end has to come.
  const deadline = systemClock({ keepAlive: true }).schedule(stopLimitMs, () => process.exit(1));
  await cluster.stop();
  deadline.cancel();
}

/** For the other commands. */
function note(
  { port, address }: Cluster,
  { dataDir, nodes, simulatedNodes, serviceCidr, podCidr }: ClusterConfig,
  { kubeconfig, startedAt }: { readonly kubeconfig: string; readonly startedAt: string },
): void {
  const cluster = { port, address, kubeconfig, startedAt, nodes, simulatedNodes, serviceCidr, podCidr };
  writeRunning(dataDir, { pid: process.pid, ...cluster });
}

/** A start without a snapshot of the program takes one for the next, when nobody waits for this one any more. */
function laterSnapshot({ clock, log }: Environment): { readonly cancel: () => void } {
  const folder = process.env['PROA_SNAPSHOTS'];
  if (folder === undefined || process.platform !== 'linux') return { cancel: () => {} };
  let end = (): void => {};
  const timer = clock.schedule(snapshotAfterMs, async () => {
    const { takeSnapshot } = await import('../../start-snapshot/take.ts');
    end = takeSnapshot(folder, log);
  });
  return {
    cancel: () => {
      timer.cancel();
      end();
    },
  };
}

/** @returns the server of another cluster to which the kubeconfig's context led before */
function giveAccess(cluster: Cluster, path: string, { isMerged }: { readonly isMerged: boolean }): string | undefined {
  const access = accessTo(cluster, cluster.pki);
  if (isMerged) return mergeIntoKubeconfig(path, access);
  writeFileSync(path, kubeconfigText(access), { mode: 0o600 });
  return undefined;
}

function accessTo({ serverUrl }: Cluster, { authority, admin }: Pki): ClusterAccess {
  return { server: serverUrl, certificateAuthority: authority.certificate, admin };
}

function tellReady(
  { serverUrl }: Cluster,
  config: ClusterConfig,
  {
    kubeconfig,
    replaced,
    notice,
  }: { readonly kubeconfig: string; readonly replaced: string | undefined; readonly notice: string | undefined },
): void {
  const simulated = `${config.simulatedNodes} simulated`;
  const nodes =
    config.nodes === 0 ? simulated : ['this machine', ...(config.simulatedNodes > 0 ? [simulated] : [])].join(', ');
  const lines = [
    `Kubernetes v1.36 is ready at ${serverUrl}`,
    `  nodes       ${nodes}`,
    `  kubeconfig  ${kubeconfig} (context proa)`,
  ];
  if (replaced !== undefined) lines.push(`              which led to ${replaced} before`);
  if (notice !== undefined) lines.push('', notice);
  lines.push('', 'Try in another terminal: kubectl get nodes', '');
  process.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * Takes note of when the user or the system asks for the end, from the beginning: a start that is interrupted ends what it
 * has begun. Who asks once more does not wait for that.
 */
class Ending {
  readonly asked: Promise<undefined>;
  isAsked = false;

  constructor() {
    this.asked = new Promise((resolve) => {
      const note = (): void => {
        this.isAsked = true;
        resolve(undefined);
      };
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, note);
    });
  }
}

/** The failures that a person can do something about, in one line. */
function explained(error: unknown, config: ClusterConfig): unknown {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new UserError(`port ${config.port} is taken: stop what listens there, or choose another with --port`);
  if (code === 'EACCES')
    return new UserError(`port ${config.port} may not be opened by this user: choose one above 1023 with --port`);
  if (code === 'ENOSPC' || /database or disk is full/.test(message))
    return new UserError(
      `the disk that holds ${config.dataDir} is full: make room, or choose another folder with --data-dir`,
    );
  if (/file is not a database|malformed/.test(message))
    return new UserError(
      `${join(config.dataDir, 'state.db')} is damaged: restore it from a backup, or start anew with "proa reset"`,
    );
  if (code === 'ENOENT' && /spawn/.test(message))
    return new UserError(
      `a real node needs the program ${(error as { path?: string }).path ?? ''}: install it, or start with --nodes 0`,
    );
  return error;
}

/** Starts the same command in the background and waits until it says that it is ready, or why not. */
async function detach(config: ClusterConfig): Promise<number> {
  const running = readRunning(config.dataDir);
  if (running !== undefined)
    throw new UserError(`a cluster is running there already (process ${running.pid}): stop it with "proa down"`);
  makeDataFolder(config.dataDir);
  const logFile = join(config.dataDir, 'proa.log');
  const errors = openSync(logFile, 'w', 0o600);
  const args = [...process.execArgv, process.argv[1]!, ...process.argv.slice(2).filter((arg) => arg !== '--detach')];
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', errors] });
  const outcome = await new Promise<'ready' | 'ended'>((resolve) => {
    let said = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk);
      said += chunk.toString();
      if (said.includes('is ready at')) resolve('ready');
    });
    child.once('exit', () => resolve('ended'));
  });
  if (outcome === 'ready') {
    child.stdout!.destroy();
    child.unref();
    return 0;
  }
  const { readFileSync } = await import('node:fs');
  process.stderr.write(readFileSync(logFile, 'utf8'));
  return 1;
}
