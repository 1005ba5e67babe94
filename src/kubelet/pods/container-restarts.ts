import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import { podText } from '../runtime/names.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import { fieldPathOf } from './containers.ts';
import type { StartError } from './start-error.ts';
import type { StartFailure } from './status.ts';

const firstRetryMs = 1_000;
const maxRetryMs = 60_000;
/** After a failed pull the pod is looked at once more, so that it shows ImagePullBackOff while it waits. */
const showBackoffMs = 2_000;

/** Why containers of one pod do not run, and when they are tried again. */
export class ContainerRestarts {
  readonly #parts: NodeParts;
  readonly #failures = new Map<string, StartFailure>();
  readonly #attempts = new Map<string, number>();
  readonly #wanted = new Set<string>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** The outcome of the last attempt to start each container that does not run. */
  get failures(): ReadonlyMap<string, StartFailure> {
    return this.#failures;
  }

  /**
   * How long a container that keeps ending is still held back (CrashLoopBackOff); 0 when it may start now, which then
   * counts as a restart.
   */
  holdBackMs(pod: Pod, container: Container, before: RuntimeContainer | undefined): number {
    if (before?.state !== 'exited' || this.#wanted.delete(before.id)) return 0;
    const { restarts, note } = this.#parts;
    const key = `${pod.metadata.uid}/${container.name}`;
    const waitMs = restarts.remainingMs(key, before.finishedAtMs);
    if (waitMs === 0) {
      restarts.next(key, before.finishedAtMs);
      return 0;
    }
    note(pod, {
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${container.name} in pod ${podText(pod)}`,
      fieldPath: fieldPathOf(pod, container.name),
    });
    this.#failures.set(container.name, {
      reason: 'CrashLoopBackOff',
      message: `back-off ${formatDelay(restarts.delayMs(key))} restarting failed container=${container.name} pod=${podText(pod)}`,
    });
    return waitMs;
  }

  /** The container was stopped to give it other resources: its end is no failure. */
  resized({ id }: RuntimeContainer): void {
    this.#wanted.add(id);
  }

  started(name: string): void {
    this.#failures.delete(name);
    this.#attempts.delete(name);
  }

  /** Records why a container did not start. Returns after how long to try again. */
  failed(pod: Pod, container: Container, error: StartError): number {
    this.#failures.set(container.name, { reason: error.reason, message: error.message });
    if (error.reason === 'ErrImagePull') return showBackoffMs;
    const pullMs = this.#parts.images.waitMs(pod, container);
    if (error.reason === 'ImagePullBackOff' && pullMs > 0) return pullMs;
    const attempts = (this.#attempts.get(container.name) ?? 0) + 1;
    this.#attempts.set(container.name, attempts);
    return Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(10, attempts));
  }
}

/** `10s`, `2m40s`: as upstream prints the delay. */
function formatDelay(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1000);
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
