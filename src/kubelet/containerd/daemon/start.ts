import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { forEachLimited } from '#base/tasks.ts';
import { runCommand } from '#system/run-command.ts';
import { type Cri, CriError } from '../../cri/cri.ts';
import type { CriStreams } from '../../cri/streams.ts';
import type { ImageMounts } from '../../volumes/image-volumes.ts';
import { GrpcChannel } from '../channel.ts';
import { cniNetworkName, findCniPlugins, writeCniConfig } from '../cni.ts';
import { criClient } from '../cri-client.ts';
import { buildPauseImage, pauseImageReference } from '../pause-image/image.ts';
import { removeStrayPods } from '../stray-pods.ts';
import { containerdStreams } from '../streams.ts';
import { renderConfig } from './config.ts';
import { type DaemonFiles, runningPid, socketAccepts, spawnDaemon, stopDaemon } from './process.ts';

/** A containerd that can be used. */
export interface Containerd {
  readonly cri: Cri;
  readonly streams: CriStreams;
  readonly socketPath: string;
  /** It was running already. */
  readonly adopted: boolean;
  /** Imports the images of an OCI or docker tar and returns their names. */
  importImages(archivePath: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Volumes of images, which the CRI of this version does not offer. */
  readonly imageMounts: ImageMounts;
  /** Lets go of the connection. containerd and its containers go on. */
  close(): void;
}

export interface ContainerdOptions {
  /** Images and snapshots, and the log; outlives a reboot. */
  readonly dataDir: string;
  /**
   * Sockets and the state of running containers; best on a tmpfs such as /run, where a reboot empties it. Short, since
   * the path of a socket may have 107 bytes.
   */
  readonly runDir: string;
  /** The node's pod addresses. */
  readonly podCidr: string;
  readonly environment: Environment;
}

/**
 * Starts a containerd of our own, or adopts the one that an earlier start with the same folders left behind. Nothing
 * of it is shared with another containerd on the machine. When its configuration has changed it is restarted, which
 * no container notices.
 */
export async function startContainerd(options: ContainerdOptions, signal: AbortSignal): Promise<Containerd> {
  const { clock } = options.environment;
  const files = daemonFiles(options);
  const cniConfigDir = join(options.dataDir, 'cni');
  const registryConfigDir = join(options.dataDir, 'registries');
  await mkdir(options.runDir, { recursive: true, mode: 0o711 });
  await mkdir(registryConfigDir, { recursive: true });
  const addressDir = join(options.runDir, 'addresses');
  await writeCniConfig({ configDir: cniConfigDir, addressDir, podCidr: options.podCidr });
  await removeStrayPods(options.podCidr, join(addressDir, cniNetworkName), signal);
  const snapshotter = await chooseSnapshotter(options.dataDir);
  const config = renderConfig({
    root: join(options.dataDir, 'containerd'),
    state: join(options.runDir, 'state'),
    socketPath: files.socketPath,
    sandboxImage: pauseImageReference,
    cniBinDir: await findCniPlugins(),
    cniConfigDir,
    registryConfigDir,
    snapshotter,
    restrictOomScore: !(await hasSysResource()),
  });
  const isCurrent = (await readFile(files.configPath, 'utf8').catch(() => '')) === config;
  if (!isCurrent) {
    await stopDaemon(files, clock, signal);
    await writeFile(files.configPath, config);
  }
  const adopted = (await runningPid(files)) !== undefined;
  if (adopted) await socketAccepts(files.socketPath, clock, signal);
  else await spawnDaemon(files, clock, signal);
  const containerd = await connectContainerd(
    { socketPath: files.socketPath, adopted, environment: options.environment, snapshotter },
    signal,
  );
  await ensurePauseImage(containerd, options.runDir, signal);
  return containerd;
}

/** Uses a containerd that somebody else runs, by its socket. Its sandbox image and network are its own affair. */
export async function connectContainerd(
  options: {
    readonly socketPath: string;
    readonly environment: Environment;
    readonly adopted?: boolean;
    readonly snapshotter?: string;
  },
  signal: AbortSignal,
): Promise<Containerd> {
  const { socketPath } = options;
  const { clock } = options.environment;
  const channel = new GrpcChannel(socketPath);
  const cri = criClient(channel, clock);
  await criAnswers(cri, options.environment, signal);
  return {
    cri,
    streams: containerdStreams,
    socketPath,
    adopted: options.adopted ?? true,
    async importImages(archivePath, importSignal) {
      const output = await runCommand(
        'ctr',
        ['-a', socketPath, '-n', 'k8s.io', 'images', 'import', archivePath],
        importSignal,
      );
      return [...output.matchAll(/^unpacking (\S+) /gm)].map(([, name]) => name!);
    },
    imageMounts: ctrImageMounts(socketPath, options.snapshotter ?? 'overlayfs'),
    close: () => channel.close(),
  };
}

function ctrImageMounts(socketPath: string, snapshotter: string): ImageMounts {
  const ctr = (signal: AbortSignal, ...args: readonly string[]) =>
    runCommand('ctr', ['-a', socketPath, '-n', 'k8s.io', 'images', ...args], signal);
  return {
    async mount(reference, directory, signal) {
      await ctr(signal, 'mount', '--snapshotter', snapshotter, reference, directory);
    },
    async unmount(directory, signal) {
      await ctr(signal, 'unmount', '--snapshotter', snapshotter, '--rm', directory);
    },
  };
}

/** Ends the containerd that `startContainerd` started with the same folders; its containers go on. */
export function stopContainerd(options: Omit<ContainerdOptions, 'podCidr'>, signal: AbortSignal): Promise<void> {
  return stopDaemon(daemonFiles(options), options.environment.clock, signal);
}

/** How often a containerd is looked after, and how long a new one is left alone when it did not start. */
const superviseMs = 500;
const superviseRetryMs = 5_000;

/**
 * Starts containerd again whenever it has ended, until the signal aborts. Its containers do not notice, and neither do
 * those who hold the connection, but for calls that were on their way.
 */
export async function superviseContainerd(
  options: Omit<ContainerdOptions, 'podCidr'>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = options.environment;
  const files = daemonFiles(options);
  while (!signal.aborted) {
    let pauseMs = superviseMs;
    if ((await runningPid(files)) === undefined) {
      log.warn('containerd has ended; starting it again');
      try {
        await spawnDaemon(files, clock, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.error('containerd does not start', { error: String(error) });
        pauseMs = superviseRetryMs;
      }
    }
    await sleep(clock, pauseMs, signal).catch(() => {});
  }
}

/** Pods that are taken down at a time; more are slower. */
const removalWorkers = 4;

/** Ends and removes every pod that the runtime knows, for taking a node down for good. */
export async function removeAllPods(cri: Cri, signal: AbortSignal): Promise<void> {
  const sandboxes = await cri.listPodSandbox({}, signal);
  await forEachLimited(sandboxes, removalWorkers, async ({ id }) => {
    await cri.stopPodSandbox(id, signal);
    await cri.removePodSandbox(id, signal);
  });
}

function daemonFiles(options: { readonly dataDir: string; readonly runDir: string }): DaemonFiles {
  return {
    configPath: join(options.runDir, 'containerd.toml'),
    pidPath: join(options.runDir, 'containerd.pid'),
    logPath: join(options.dataDir, 'containerd.log'),
    socketPath: join(options.runDir, 'containerd.sock'),
  };
}

const criRetryMs = 5;
const criTimeoutMs = 30_000;

/** The socket accepts a moment before its CRI service does. */
async function criAnswers(cri: Cri, { clock }: Environment, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + criTimeoutMs;
  for (;;) {
    try {
      await cri.listPodSandbox({ id: 'none' }, signal);
      return;
    } catch (error) {
      if (!(error instanceof CriError) || clock.monotonic() > deadline) throw error;
    }
    await sleep(clock, criRetryMs, signal);
  }
}

async function ensurePauseImage(containerd: Containerd, directory: string, signal: AbortSignal): Promise<void> {
  if ((await containerd.cri.imageStatus({ image: pauseImageReference }, signal)) !== undefined) return;
  const path = join(directory, 'pause.tar');
  await writeFile(path, await buildPauseImage(process.arch === 'arm64' ? 'arm64' : 'amd64'));
  await containerd.importImages(path, signal);
}

/** Overlays cannot be stacked on one another without limits: inside a container copies have to do. */
async function chooseSnapshotter(directory: string): Promise<'overlayfs' | 'native'> {
  const overlayMagic = 0x794c7630;
  return (await statfs(directory)).type === overlayMagic ? 'native' : 'overlayfs';
}

async function hasSysResource(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const sysResource = 24n;
  return ((effective >> sysResource) & 1n) === 1n;
}
