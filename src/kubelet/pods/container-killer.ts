import { sleep } from '#base/clock.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { NodeParts } from '../parts.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { KillReason } from './actions.ts';
import { fieldPathOf, findContainer, initContainersOf, isSidecar } from './containers.ts';

/** Even when a preStop hook used up the grace period, the container still gets this long after TERM. */
const leastGraceSeconds = 2;

export interface KillOptions {
  readonly reason: KillReason;
  readonly message: string;
  readonly graceSeconds: number;
}

/** Stops containers: the preStop hook, then TERM, then KILL, all within the grace period. */
export class ContainerKiller {
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** Grace period in seconds for a kill that is no deletion of the pod. */
  graceFor(pod: Pod, container: Container | undefined, reason: KillReason): number {
    const own =
      reason === 'livenessProbe'
        ? container?.livenessProbe?.terminationGracePeriodSeconds
        : reason === 'startupProbe'
          ? container?.startupProbe?.terminationGracePeriodSeconds
          : undefined;
    return own ?? podGraceSeconds(pod);
  }

  async kill(pod: Pod, running: RuntimeContainer, options: KillOptions, signal: AbortSignal): Promise<void> {
    const { cri, environment, note } = this.#parts;
    const container = findContainer(pod, running.name);
    note(pod, {
      type: 'Normal',
      reason: 'Killing',
      message: options.message === '' ? `Stopping container ${running.name}` : options.message,
      fieldPath: fieldPathOf(pod, running.name),
    });
    let graceSeconds = options.graceSeconds;
    // What failed its startup or liveness probe gets its hook as well; what never ran has none.
    if (container?.lifecycle?.preStop !== undefined && running.state === 'running' && graceSeconds > 0) {
      const startedMs = environment.clock.monotonic();
      await this.#preStop(pod, container, running, graceSeconds, signal);
      graceSeconds -= Math.round((environment.clock.monotonic() - startedMs) / 1000);
    }
    if (options.graceSeconds > 0) graceSeconds = Math.max(leastGraceSeconds, graceSeconds);
    await cri.stopContainer(running.id, graceSeconds, signal);
  }

  /** Stops everything in a pod: app containers together, then sidecars in reverse order in what time is left. */
  async killAll(pod: Pod, runtime: PodRuntime, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts.environment;
    const running = runtime.containers.filter(({ state }) => state === 'running' || state === 'unknown');
    const sidecarNames = initContainersOf(pod)
      .filter(isSidecar)
      .map(({ name }) => name);
    const startedMs = clock.monotonic();
    const killOne = (container: RuntimeContainer, grace: number) =>
      this.kill(pod, container, { reason: 'podKilled', message: '', graceSeconds: grace }, signal);
    const first = running.filter(({ name }) => !sidecarNames.includes(name));
    await Promise.all(first.map((container) => killOne(container, graceSeconds)));
    for (const name of sidecarNames.toReversed()) {
      const sidecar = running.find((container) => container.name === name);
      if (sidecar === undefined) continue;
      const passed = Math.round((clock.monotonic() - startedMs) / 1000);
      await killOne(sidecar, Math.max(0, graceSeconds - passed));
    }
  }

  async #preStop(
    pod: Pod,
    container: Container,
    running: RuntimeContainer,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { environment, hooks, host, note, view } = this.#parts;
    const limit = new AbortController();
    const stop = () => limit.abort();
    signal.addEventListener('abort', stop, { once: true });
    const podIp = pod.spec.hostNetwork ? host.machine.addresses[0] : view.addressOf(running.sandboxId);
    const target = { container, containerId: running.id, podIp: podIp ?? '' };
    try {
      await Promise.race([
        hooks.run(container.lifecycle!.preStop!, target, limit.signal),
        // A hook that takes longer than the grace period is left behind.
        sleep(environment.clock, graceSeconds * 1000, limit.signal),
      ]);
    } catch (error) {
      if (signal.aborted) throw error;
      environment.log.info('preStop hook failed', { message: String(error) });
      note(pod, {
        type: 'Warning',
        reason: 'FailedPreStopHook',
        message: 'PreStopHook failed',
        fieldPath: fieldPathOf(pod, container.name),
      });
    } finally {
      limit.abort();
      signal.removeEventListener('abort', stop);
    }
  }
}

const defaultGraceSeconds = 30;

/** The grace period that a deletion asked for, else the pod's own. At least one second unless it is forced. */
export function podGraceSeconds(pod: Pod): number {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  const asked =
    deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined
      ? deletionGracePeriodSeconds
      : (pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds);
  return Math.max(1, asked);
}
