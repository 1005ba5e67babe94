import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod, Volume } from '#kinds/generated/types/core_v1.ts';
import type { HostMounts } from '../host/host.ts';

/** Lays an image's files out in a folder, read-only (KEP-4639). */
export interface ImageMounts {
  /** @param reference an image that the runtime has. */
  mount(reference: string, directory: string, signal: AbortSignal): Promise<void>;
  /** Takes back what `mount` did, also what the runtime keeps for it. */
  unmount(directory: string, signal: AbortSignal): Promise<void>;
}

/** Gets the image of a volume by its pull policy and names it as the runtime does. */
export type PullVolumeImage = (pod: Pod, volume: Volume, signal: AbortSignal) => Promise<string>;

/** Volumes of images, for runtimes that do not mount images themselves (containerd before 2.1). */
export class ImageVolumes {
  readonly #mounts: ImageMounts;
  readonly #pull: PullVolumeImage;
  readonly #isMounted: HostMounts['isMounted'];

  constructor(options: {
    readonly mounts: ImageMounts;
    readonly pull: PullVolumeImage;
    readonly isMounted: HostMounts['isMounted'];
  }) {
    this.#mounts = options.mounts;
    this.#isMounted = options.isMounted;
    this.#pull = options.pull;
  }

  /** Once for each pod: a running container keeps the image that it started with. A folder alone says nothing: its mount may have failed. */
  async prepare(pod: Pod, volume: Volume, directory: string, signal: AbortSignal): Promise<void> {
    if (await this.#isMounted(directory)) return;
    const reference = await this.#pull(pod, volume, signal);
    await mkdir(directory, { recursive: true });
    await this.#mounts.mount(reference, directory, signal);
  }

  /** @param directory the one above the volumes. */
  async teardown(directory: string, signal: AbortSignal): Promise<void> {
    for (const name of await readdir(directory).catch(() => []))
      await this.#mounts.unmount(join(directory, name), signal).catch(() => signal.throwIfAborted());
  }
}
