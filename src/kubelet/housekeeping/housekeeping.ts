import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '#base/clock.ts';
import type { NodeParts } from '../parts.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { overfullPods } from './empty-dir-limits.ts';
import { ImageCollector } from './image-collector.ts';
import { rotateLog } from './log-rotation.ts';
import { applyQosCgroups } from './qos-cgroups.ts';

/** How often logs are measured. */
const rotationMs = 10_000;
/** What belongs to no pod is stopped with this grace. */
const orphanGraceSeconds = 2;

/**
 * Clears away what no pod of this node owns any more: containers and sandboxes, volumes, cgroups and logs that were
 * left behind while the node agent was away, and images when the disk fills up.
 */
export class Housekeeping {
  readonly #parts: NodeParts;
  readonly #manager: PodManager;
  readonly #images: ImageCollector;

  constructor(options: { readonly parts: NodeParts; readonly manager: PodManager }) {
    this.#parts = options.parts;
    this.#manager = options.manager;
    const { cri, config } = options.parts;
    const limits = {
      highPercent: config.imageGcHighPercent,
      lowPercent: config.imageGcLowPercent,
      minimumAgeMs: config.imageMinimumAgeMs,
    };
    this.#images = new ImageCollector({ cri, limits });
  }

  /** The manager must know all pods of the node when this begins. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#repeat(this.#parts.config.garbageCollectionMs, (inner) => this.#collect(inner), signal),
      this.#parts.host.storage === undefined
        ? undefined
        : this.#repeat(rotationMs, (inner) => this.#rotate(inner), signal),
    ]);
  }

  async #repeat(everyMs: number, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts.environment;
    while (!signal.aborted) {
      try {
        await work(signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warn('housekeeping failed', { message: error instanceof Error ? error.message : String(error) });
      }
      await sleep(clock, everyMs, signal).catch(() => undefined);
    }
  }

  async #collect(signal: AbortSignal): Promise<void> {
    const { environment, host, view } = this.#parts;
    for (const [uid, runtime] of await view.list(signal))
      if (this.#isOrphan(uid)) await this.#remove(uid, runtime, signal);
    if (host.storage === undefined) return;
    await applyQosCgroups(this.#parts, this.#manager.pods);
    for (const { worker, eviction } of await overfullPods(this.#parts, this.#manager)) {
      this.#parts.note(worker.pod, { type: 'Warning', reason: eviction.reason, message: eviction.message });
      worker.evict(eviction);
    }
    await this.#collectFiles(signal);
    await this.#collectCgroups(signal);
    const freed = await this.#images.collect(await host.usage(signal), environment.clock.now(), signal);
    if (freed > 0) environment.log.info('removed unused images', { bytes: freed });
  }

  #isOrphan(uid: string): boolean {
    return this.#manager.byUid(uid) === undefined;
  }

  async #remove(uid: string, runtime: PodRuntime, signal: AbortSignal): Promise<void> {
    const { cri, environment, view } = this.#parts;
    environment.log.info('removing containers of a pod that is gone', { uid });
    for (const container of runtime.containers)
      if (container.state === 'running') await cri.stopContainer(container.id, orphanGraceSeconds, signal);
    for (const { id } of runtime.sandboxes) {
      await cri.stopPodSandbox(id, signal);
      await cri.removePodSandbox(id, signal);
    }
    for (const { id } of runtime.containers) await cri.removeContainer(id, signal);
    view.forget(runtime);
  }

  async #collectFiles(signal: AbortSignal): Promise<void> {
    const { host, volumes } = this.#parts;
    for (const uid of await volumes.list()) if (this.#isOrphan(uid)) await volumes.teardown(uid, signal);
    const directory = host.storage!.podLogsDirectory;
    for (const name of await readdir(directory).catch(() => [])) {
      const uid = name.split('_')[2];
      if (uid !== undefined && this.#isOrphan(uid)) await rm(join(directory, name), { recursive: true, force: true });
    }
  }

  async #collectCgroups(signal: AbortSignal): Promise<void> {
    const { config, host } = this.#parts;
    const { cgroups } = host;
    if (cgroups === undefined) return;
    for (const parent of [config.cgroupRoot, `${config.cgroupRoot}/burstable`, `${config.cgroupRoot}/besteffort`])
      for (const name of await cgroups.list(parent))
        if (name.startsWith('pod') && this.#isOrphan(name.slice('pod'.length)))
          await cgroups.remove(`${parent}/${name}`, signal);
  }

  async #rotate(signal: AbortSignal): Promise<void> {
    const { config, cri, environment } = this.#parts;
    const limits = { maxBytes: config.containerLogMaxBytes, maxFiles: config.containerLogMaxFiles };
    for (const { runtime } of this.#manager.workers)
      for (const container of runtime.containers)
        if (container.state === 'running' && container.logPath !== '')
          await rotateLog(cri, container, limits, environment.clock.now(), signal);
  }
}
