import type { Container, Pod, PodCondition, ResourceRequirements } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';
import type { NodeParts } from '../parts.ts';
import { linuxResources } from '../runtime/linux-resources.ts';
import { latest, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import { same } from '../status/status-patch.ts';
import { initContainersOf, isSidecar } from './containers.ts';
import { applyPodCgroup } from './pod-cgroup.ts';
import { amountsOf, milliCpu, podAmounts } from './resources.ts';

/** Takes a limit away in cgroups. */
const unlimited = -1;

/**
 * Resizes running containers in place when the resources of their pod change (KEP-1287): with the runtime where the
 * resize policy allows it, else by a restart.
 */
export class PodResize {
  readonly #parts: NodeParts;
  /** What containers run with, by id: that, and not the spec, is reported as `resources`. */
  readonly #applied = new Map<string, ResourceRequirements>();
  #pending: PodCondition | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  applied(containerId: string): ResourceRequirements | undefined {
    return this.#applied.get(containerId);
  }

  /** The conditions that speak of a resize which could not be made. */
  get conditions(): readonly PodCondition[] {
    return this.#pending === undefined ? [] : [this.#pending];
  }

  started(containerId: string, container: Container): void {
    this.#applied.set(containerId, container.resources ?? {});
  }

  /**
   * Brings running containers to what the pod asks for now. `reported` is what was last said about a container: all
   * that is known of one that was started before us. Returns those that have to be restarted
   * instead; undefined when there was nothing to do.
   */
  async resize(
    pod: Pod,
    runtime: PodRuntime,
    reported: (containerId: string) => ResourceRequirements | undefined,
    signal: AbortSignal,
  ): Promise<readonly RuntimeContainer[] | undefined> {
    const changed: { readonly container: Container; readonly running: RuntimeContainer }[] = [];
    for (const container of [...pod.spec.containers, ...initContainersOf(pod).filter(isSidecar)]) {
      const running = latest(runtime, container.name);
      if (running?.state !== 'running') continue;
      const known = this.#applied.get(running.id) ?? reported(running.id) ?? container.resources ?? {};
      this.#applied.set(running.id, known);
      if (!sameAmounts(known, container.resources)) changed.push({ container, running });
    }
    const wasPending = this.#pending !== undefined;
    this.#pending = changed.length === 0 ? undefined : this.#infeasible(pod);
    if (changed.length === 0) return wasPending ? [] : undefined;
    if (this.#pending !== undefined) return [];
    const restart = changed.filter(({ container, running }) => this.#mustRestart(container, running));
    const inPlace = changed.filter((entry) => !restart.includes(entry));
    // More for the pod before its containers get more, and less for it after they have given up theirs.
    await applyPodCgroup(this.#parts, pod).catch(() => undefined);
    for (const { container, running } of inPlace) await this.#update(pod, container, running, signal);
    await applyPodCgroup(this.#parts, pod);
    return restart.map(({ running }) => running);
  }

  async #update(pod: Pod, container: Container, running: RuntimeContainer, signal: AbortSignal): Promise<void> {
    const { cri, note } = this.#parts;
    const { requests, limits } = container.resources ?? {};
    const linux = { cpuQuota: unlimited, ...linuxResources(amountsOf(requests), amountsOf(limits)) };
    await cri.updateContainerResources({ containerId: running.id, linux }, signal);
    this.#applied.set(running.id, container.resources ?? {});
    note(pod, {
      type: 'Normal',
      reason: 'ResizeCompleted',
      message: `Pod resize completed: ${JSON.stringify({ containers: [{ name: container.name, resources: container.resources }] })}`,
    });
  }

  #mustRestart(container: Container, running: RuntimeContainer): boolean {
    const before = this.#applied.get(running.id);
    return (container.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) =>
        restartPolicy === 'RestartContainer' &&
        (['requests', 'limits'] as const).some(
          (which) => amountsOf(before?.[which])[resourceName] !== amountsOf(container.resources?.[which])[resourceName],
        ),
    );
  }

  /** More than the whole node has is never granted; the pod goes on with what it has. */
  #infeasible(pod: Pod): PodCondition | undefined {
    const available = amountsOf(this.#parts.allocatable());
    const wanted = podAmounts(pod, 'requests');
    const lacking = ['cpu', 'memory'].find((name) => (wanted[name] ?? 0) > (available[name] ?? 0));
    if (lacking === undefined) return undefined;
    const number = (amount: number | undefined) => (lacking === 'cpu' ? milliCpu(amount) : (amount ?? 0));
    const nowMs = this.#parts.environment.clock.now();
    return {
      type: 'PodResizePending',
      status: 'True',
      reason: 'Infeasible',
      message: `Node didn't have enough capacity: ${lacking}, requested: ${number(wanted[lacking])}, capacity: ${number(available[lacking])}`,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      lastTransitionTime: this.#pending?.lastTransitionTime ?? formatTime(nowMs),
    };
  }
}

function sameAmounts(left: ResourceRequirements | undefined, right: ResourceRequirements | undefined): boolean {
  return (['requests', 'limits'] as const).every((which) => {
    const [one, other] = [amountsOf(left?.[which]), amountsOf(right?.[which])];
    return ['cpu', 'memory'].every((name) => same(one[name], other[name]));
  });
}
