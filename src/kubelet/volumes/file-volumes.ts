import { chmod, lstat, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { Container, Pod, Volume, VolumeMount } from '#kinds/generated/types/core_v1.ts';
import type { Mount, MountPropagation } from '../cri/cri.ts';
import type { HostStorage } from '../host/host.ts';
import type { NodeMetrics } from '../node-metrics.ts';
import { amountsOf } from '../pods/resources.ts';
import { ConfigError, type PodObjects } from '../runtime/environment-variables.ts';
import { expand } from '../runtime/expansion.ts';
import type { DownwardFacts } from '../runtime/field-reference.ts';
import { writeAtomically } from './atomic-writer.ts';
import { prepareHostPath } from './host-path.ts';
import { hostsFile } from './hosts-file.ts';
import type { ImageVolumes } from './image-volumes.ts';
import { belongsToGroup, giveToGroup } from './ownership.ts';
import { pluginNameOf } from './plugin-names.ts';
import type { PodCertificates } from './pod-certificates.ts';
import type { MountContext, PodVolumes } from './pod-volumes.ts';
import { resolveSubPath } from './sub-path.ts';
import type { TokenCache } from './token-cache.ts';
import type { TrustBundles } from './trust-bundles.ts';
import { volumeFiles } from './volume-data.ts';

const maxTerminationMessageBytes = 4096;

interface Prepared {
  readonly atMs: number;
  /** What the contents depend on besides the objects they come from. */
  readonly key: string;
}

/** Volumes of real pods, as files and mounts of the node. */
export class FileVolumes implements PodVolumes {
  readonly #storage: HostStorage;
  readonly #objects: PodObjects;
  readonly #tokens: TokenCache;
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #images: ImageVolumes | undefined;
  readonly #bundles: TrustBundles | undefined;
  readonly #certificates: PodCertificates | undefined;
  readonly #metrics: NodeMetrics | undefined;
  readonly #prepared = new Map<string, Prepared>();

  constructor(options: {
    readonly storage: HostStorage;
    readonly objects: PodObjects;
    readonly tokens: TokenCache;
    readonly clock: Clock;
    /** Absent where images cannot be mounted. */
    readonly images?: ImageVolumes | undefined;
    /** Absent where their feature gates are off. */
    readonly bundles?: TrustBundles | undefined;
    readonly certificates?: PodCertificates | undefined;
    /** How old contents may be before they are looked at again. */
    readonly refreshMs: number;
    readonly metrics: NodeMetrics | undefined;
  }) {
    this.#storage = options.storage;
    this.#objects = options.objects;
    this.#tokens = options.tokens;
    this.#clock = options.clock;
    this.#refreshMs = options.refreshMs;
    this.#images = options.images;
    this.#bundles = options.bundles;
    this.#certificates = options.certificates;
    this.#metrics = options.metrics;
  }

  async prepare(pod: Pod, facts: DownwardFacts, signal: AbortSignal): Promise<void> {
    const uid = pod.metadata.uid ?? '';
    const { labels, annotations } = pod.metadata;
    const key = JSON.stringify([labels, annotations, facts.podIps]);
    const known = this.#prepared.get(uid);
    const nowMs = this.#clock.monotonic();
    if (known?.key === key && nowMs - known.atMs < this.#refreshMs) return;
    await mkdir(this.#podDirectory(uid), { recursive: true, mode: 0o750 });
    for (const volume of pod.spec.volumes ?? []) {
      try {
        const prepare = (): Promise<void> => this.#prepareVolume(pod, volume, facts, signal);
        const plugin = pluginNameOf(volume);
        await (plugin === undefined || this.#metrics === undefined
          ? prepare()
          : this.#metrics.mounting(plugin, prepare));
      } catch (error) {
        signal.throwIfAborted();
        const cause = error instanceof Error ? error.message : String(error);
        throw new Error(`MountVolume.SetUp failed for volume "${volume.name}" : ${cause}`);
      }
    }
    this.#prepared.set(uid, { atMs: nowMs, key });
  }

  async #prepareVolume(pod: Pod, volume: Volume, facts: DownwardFacts, signal: AbortSignal): Promise<void> {
    if (volume.hostPath !== undefined) return prepareHostPath(volume.hostPath.path, volume.hostPath.type ?? '');
    const path = this.#pathOf(pod, volume);
    if (volume.emptyDir !== undefined) return this.#prepareEmptyDir(pod, volume, path, signal);
    if (volume.image !== undefined && this.#images !== undefined)
      return this.#images.prepare(pod, volume, path, signal);
    const isFromApi =
      volume.configMap !== undefined ||
      volume.secret !== undefined ||
      volume.downwardAPI !== undefined ||
      volume.projected !== undefined;
    if (!isFromApi) throw new Error('this kind of volume is not supported');
    const sources = {
      objects: this.#objects,
      tokens: this.#tokens,
      facts,
      bundles: this.#bundles,
      certificates: this.#certificates,
    };
    const files = await volumeFiles(pod, volume, sources);
    const isNew = await makeDirectory(path, 0o777);
    const gid = pod.spec.securityContext?.fsGroup;
    const own = async (directory: string) => {
      if (gid !== undefined) await giveToGroup(directory, gid, { readOnly: true });
    };
    await writeAtomically(path, files, own);
    if (isNew) await own(path);
  }

  async #prepareEmptyDir(pod: Pod, volume: Volume, path: string, signal: AbortSignal): Promise<void> {
    const isNew = await makeDirectory(path, 0o777);
    if (volume.emptyDir?.medium === 'Memory' && !(await this.#storage.mounts.isMounted(path))) {
      await this.#storage.mounts.mountTmpfs(path, { sizeBytes: memorySize(pod, volume) }, signal);
      await chmod(path, 0o777);
    }
    const context = pod.spec.securityContext;
    if (context?.fsGroup === undefined || !isNew) return;
    const group = context.fsGroup;
    if (context.fsGroupChangePolicy === 'OnRootMismatch' && (await belongsToGroup(path, group, { readOnly: false })))
      return;
    await giveToGroup(path, group, { readOnly: false });
  }

  async mounts(pod: Pod, container: Container, context: MountContext): Promise<readonly Mount[]> {
    const mounts: Mount[] = [];
    for (const mount of container.volumeMounts ?? []) mounts.push(await this.#mount(pod, container, mount, context));
    const isTaken = (path: string) => mounts.some(({ containerPath }) => containerPath === path);
    if (!isTaken('/etc/hosts')) {
      const hostPath = join(this.#podDirectory(pod.metadata.uid ?? ''), 'etc-hosts');
      const text = await hostsFile(pod, { ...context, podIps: context.facts.podIps });
      await writeFile(hostPath, text);
      await chmod(hostPath, 0o644);
      mounts.push({ containerPath: '/etc/hosts', hostPath, readonly: false });
    }
    const messagePath = container.terminationMessagePath ?? '/dev/termination-log';
    if (messagePath !== '') {
      const directory = join(this.#podDirectory(pod.metadata.uid ?? ''), 'containers', container.name);
      await mkdir(directory, { recursive: true, mode: 0o750 });
      const hostPath = join(directory, String(context.attempt));
      await writeFile(hostPath, '');
      await chmod(hostPath, 0o666);
      mounts.push({ containerPath: messagePath, hostPath, readonly: false });
    }
    return mounts;
  }

  async #mount(pod: Pod, container: Container, mount: VolumeMount, context: MountContext): Promise<Mount> {
    const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (volume === undefined)
      throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    const root = volume.hostPath?.path ?? this.#pathOf(pod, volume);
    const propagation: MountPropagation =
      mount.mountPropagation === 'Bidirectional'
        ? 'PROPAGATION_BIDIRECTIONAL'
        : mount.mountPropagation === 'HostToContainer'
          ? 'PROPAGATION_HOST_TO_CONTAINER'
          : 'PROPAGATION_PRIVATE';
    const isFixed = volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected ?? volume.image;
    return {
      // A relative path is taken from the container's root, as upstream does.
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: await subPathOf(root, container, mount, context.environment),
      readonly: (mount.readOnly ?? false) || isFixed !== undefined,
      propagation,
    };
  }

  async terminationMessage(mounts: readonly Mount[], path: string): Promise<string> {
    const mount = mounts.find(({ containerPath }) => containerPath === path);
    if (mount?.hostPath === undefined) return '';
    const file = await open(mount.hostPath, 'r').catch(() => undefined);
    if (file === undefined) return '';
    try {
      const buffer = Buffer.alloc(maxTerminationMessageBytes);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async teardown(podUid: string, signal: AbortSignal): Promise<void> {
    this.#prepared.delete(podUid);
    this.#certificates?.forget(podUid);
    this.#tokens.forget(podUid);
    const directory = this.#podDirectory(podUid);
    await this.#images?.teardown(join(directory, 'volumes', 'kubernetes.io~image'), signal);
    await this.#storage.mounts.unmountAll(directory, signal);
    await rm(directory, { recursive: true, force: true });
    await rm(join(this.#storage.memoryDirectory, podUid), { recursive: true, force: true });
  }

  async list(): Promise<readonly string[]> {
    const names = (directory: string) => readdir(directory).catch(() => []);
    const kept = await names(join(this.#storage.rootDirectory, 'pods'));
    return [...new Set([...kept, ...(await names(this.#storage.memoryDirectory))])];
  }

  #podDirectory(uid: string): string {
    return join(this.#storage.rootDirectory, 'pods', uid);
  }

  #pathOf(pod: Pod, volume: Volume): string {
    const uid = pod.metadata.uid ?? '';
    if (volume.secret !== undefined || volume.projected !== undefined)
      return join(this.#storage.memoryDirectory, uid, volume.name);
    return join(this.#podDirectory(uid), 'volumes', `kubernetes.io~${pluginOf(volume)}`, volume.name);
  }
}

function pluginOf(volume: Volume): string {
  if (volume.configMap !== undefined) return 'configmap';
  if (volume.downwardAPI !== undefined) return 'downward-api';
  return volume.image === undefined ? 'empty-dir' : 'image';
}

/** Returns whether it was made now. The mode is set against the umask. */
async function makeDirectory(path: string, mode: number): Promise<boolean> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) return false;
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await mkdir(path);
  await chmod(path, mode);
  return true;
}

async function subPathOf(
  root: string,
  container: Container,
  mount: VolumeMount,
  environment: ReadonlyMap<string, string>,
): Promise<string> {
  let subPath = mount.subPath ?? '';
  const failed = `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`;
  if (mount.subPathExpr !== undefined && mount.subPathExpr !== '') {
    let isComplete = true;
    subPath = expand(mount.subPathExpr, (name) => {
      const value = environment.get(name);
      if (value === undefined) isComplete = false;
      return value;
    });
    if (!isComplete) throw new ConfigError(failed);
  }
  if (subPath === '') return root;
  try {
    return await resolveSubPath(root, subPath);
  } catch {
    throw new ConfigError(failed);
  }
}

/** The size of an emptyDir in memory: its limit, but never more than the pod may use anyway. */
function memorySize(pod: Pod, volume: Volume): number | undefined {
  const limit = amountsOf({ size: volume.emptyDir?.sizeLimit ?? '0' })['size'] ?? 0;
  const limits = pod.spec.containers.map(({ resources }) => amountsOf(resources?.limits)['memory']);
  const whole = limits.every((amount) => amount !== undefined)
    ? limits.reduce<number>((sum, amount) => sum + (amount ?? 0), 0)
    : undefined;
  if (limit > 0) return whole === undefined ? limit : Math.min(limit, whole);
  return whole;
}
