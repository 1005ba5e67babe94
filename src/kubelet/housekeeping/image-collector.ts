import { pauseImageReference } from '../containerd/pause-image/image.ts';
import type { Cri, Image } from '../cri/cri.ts';
import type { MachineUsage } from '../host/host.ts';

export interface ImageLimits {
  /** Collection begins above this share of the disk … */
  readonly highPercent: number;
  /** … and ends below this one. */
  readonly lowPercent: number;
  /** Images are kept at least this long after they were last seen in use. */
  readonly minimumAgeMs: number;
}

/** Removes images that no container uses, the longest unused first, when the disk fills up. */
export class ImageCollector {
  readonly #cri: Cri;
  readonly #limits: ImageLimits;
  readonly #lastUsedMs = new Map<string, number>();

  constructor(options: { readonly cri: Cri; readonly limits: ImageLimits }) {
    this.#cri = options.cri;
    this.#limits = options.limits;
  }

  /** Returns how many bytes were freed. */
  async collect(usage: MachineUsage, nowMs: number, signal: AbortSignal): Promise<number> {
    const images = await this.#cri.listImages({}, signal);
    const used = await this.#usedImages(signal);
    for (const image of images) {
      const isUsed = used.has(image.id) || image.repoTags.some((tag) => used.has(tag));
      if (isUsed || !this.#lastUsedMs.has(image.id)) this.#lastUsedMs.set(image.id, nowMs);
    }
    const present = new Set(images.map(({ id }) => id));
    for (const id of this.#lastUsedMs.keys()) if (!present.has(id)) this.#lastUsedMs.delete(id);
    const { filesystemAvailableBytes: available, filesystemCapacityBytes: capacity } = usage;
    const usedPercent = capacity === 0 ? 0 : 100 - (available / capacity) * 100;
    if (usedPercent < this.#limits.highPercent) return 0;
    const wanted = ((usedPercent - this.#limits.lowPercent) / 100) * capacity;
    let freed = 0;
    for (const image of this.#unused(images, used, nowMs)) {
      if (freed >= wanted) break;
      await this.#cri.removeImage({ image: image.id }, signal);
      this.#lastUsedMs.delete(image.id);
      freed += image.size;
    }
    return freed;
  }

  async #usedImages(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    for (const { imageId, imageRef, image } of await this.#cri.listContainers({}, signal))
      for (const name of [imageId, imageRef, image?.image ?? '']) used.add(name);
    return used;
  }

  #unused(images: readonly Image[], used: ReadonlySet<string>, nowMs: number): readonly Image[] {
    const lastUsed = ({ id }: Image) => this.#lastUsedMs.get(id) ?? 0;
    return images
      .filter(({ id, pinned, repoTags }) => {
        // Old runtimes do not pin the image of the sandboxes.
        if (pinned || repoTags.includes(pauseImageReference)) return false;
        return !used.has(id) && !repoTags.some((tag) => used.has(tag));
      })
      .filter((image) => nowMs - lastUsed(image) >= this.#limits.minimumAgeMs)
      .sort((left, right) => lastUsed(left) - lastUsed(right));
  }
}
