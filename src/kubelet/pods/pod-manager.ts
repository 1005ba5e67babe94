import type { Informer } from '#client/informer.ts';
import type { Node, Pod } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { rejection } from './admission.ts';
import { isFinished } from './phase.ts';
import { PodWorker } from './pod-worker.ts';

/** Starts, feeds and ends the workers of a node's pods. */
export class PodManager {
  readonly #parts: NodeParts;
  readonly #node: () => Node;
  readonly #signal: AbortSignal;
  readonly #workers = new Map<string, PodWorker>();
  /** The newest worker for each `namespace/name`. */
  readonly #byName = new Map<string, PodWorker>();

  constructor(options: { readonly parts: NodeParts; readonly node: () => Node; readonly signal: AbortSignal }) {
    this.#parts = options.parts;
    this.#node = options.node;
    this.#signal = options.signal;
  }

  /** Follows the pods of the informer. What ran before this start is in `found`, by pod uid. */
  follow(pods: Informer<Pod>, found: ReadonlyMap<string, PodRuntime>): () => void {
    return pods.subscribe({
      added: (pod) => this.#added(pod, found.has(pod.metadata.uid ?? '')),
      updated: (_, pod) => this.#updated(pod),
      deleted: (pod) => this.#workers.get(pod.metadata.uid ?? '')?.removed(),
    });
  }

  get pods(): readonly Pod[] {
    return [...this.#workers.values()].map(({ pod }) => pod);
  }

  get workers(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  byName(namespace: string, name: string): PodWorker | undefined {
    return this.#byName.get(`${namespace}/${name}`);
  }

  byUid(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  probed(uid: string): void {
    this.#workers.get(uid)?.probed();
  }

  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  #added(pod: Pod, wasRunning: boolean): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#workers.has(uid)) {
      this.#updated(pod);
      return;
    }
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const isNew = !wasRunning && !isFinished(pod.status?.phase) && pod.metadata.deletionTimestamp === undefined;
    const worker = new PodWorker({
      parts: this.#parts,
      pod,
      isNew,
      signal: this.#signal,
      finished: (ended) => {
        this.#workers.delete(ended.uid);
        if (this.#byName.get(key) === ended) this.#byName.delete(key);
        // Room that was freed does not bring back what was rejected; nothing else waits for it.
      },
    });
    const refused = isNew ? rejection(pod, this.#node(), this.#activePods()) : undefined;
    this.#workers.set(uid, worker);
    this.#byName.set(key, worker);
    if (refused !== undefined) {
      const message = refused.message.replace(/^Pod was rejected: /, '');
      this.#parts.note(pod, { type: 'Warning', reason: refused.reason, message });
      worker.evict(refused);
    } else worker.wake();
  }

  #updated(pod: Pod): void {
    const worker = this.#workers.get(pod.metadata.uid ?? '');
    if (worker === undefined) this.#added(pod, false);
    else worker.update(pod);
  }

  #activePods(): readonly Pod[] {
    return [...this.#workers.values()].filter(({ isActive }) => isActive).map(({ pod }) => pod);
  }
}
