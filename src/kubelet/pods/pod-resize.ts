import type { Container, Pod, PodCondition, ResourceRequirements } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';
import type { NodeParts } from '../parts.ts';
import { linuxResources } from '../runtime/linux-resources.ts';
import { latest, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import { same } from '../status/status-patch.ts';
import { initContainersOf, isSidecar } from './containers.ts';
import { applyPodCgroup } from './pod-cgroup.ts';
import { amountsOf, milliCpu, podAmounts } from './resources.ts';

const inProgress = 'PodResizeInProgress';

/** Takes a limit away in cgroups. */
const unlimited = -1;

interface Wanting {
  readonly container: Container;
  readonly running: RuntimeContainer;
}

/**
 * Resizes running containers in place when the resources of their pod change (KEP-1287): with the runtime where the
 * resize policy allows it, else by a restart.
 */
export class PodResize {
  readonly #parts: NodeParts;
  /** What containers run with, by id: that, and not the spec, is reported as `resources`. */
  readonly #applied = new Map<string, ResourceRequirements>();
  /** Running containers that have something else than their pod asks for. */
  #wanting: readonly Wanting[] = [];
  #condition: PodCondition | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  applied(containerId: string): ResourceRequirements | undefined {
    return this.#applied.get(containerId);
  }

  /** The condition that speaks of a resize which goes on, or cannot be made. */
  get conditions(): readonly PodCondition[] {
    return this.#condition === undefined ? [] : [this.#condition];
  }

  started(containerId: string, container: Container): void {
    this.#applied.set(containerId, container.resources ?? {});
  }

  /**
   * Sees what there is to do, so that the next report says so: who asked for a resize takes a pod that observed it, and
   * has no such condition, for resized. `reported` is what was last said about a container: all that is known of one
   * that was started before us.
   */
  look(pod: Pod, runtime: PodRuntime, reported: (containerId: string) => ResourceRequirements | undefined): void {
    const wanting: Wanting[] = [];
    for (const container of [...pod.spec.containers, ...initContainersOf(pod).filter(isSidecar)]) {
      const running = latest(runtime, container.name);
      if (running?.state !== 'running') continue;
      const known = this.#applied.get(running.id) ?? reported(running.id) ?? container.resources ?? {};
      this.#applied.set(running.id, known);
      if (!sameAmounts(known, container.resources)) wanting.push({ container, running });
    }
    this.#wanting = wanting;
    this.#condition = wanting.length === 0 ? undefined : (this.#infeasible(pod) ?? this.#inProgress(pod));
  }

  /**
   * Brings running containers to what the pod asks for. Returns those that have to be restarted instead; undefined when
   * there was nothing to do.
   */
  async resize(pod: Pod, signal: AbortSignal): Promise<readonly RuntimeContainer[] | undefined> {
    if (this.#condition?.type !== inProgress) return undefined;
    const restart = this.#wanting.filter(({ container, running }) => this.#mustRestart(container, running));
    const inPlace = this.#wanting.filter((entry) => !restart.includes(entry));
    // More for the pod before its containers get more, and less for it after they have given up theirs.
    await applyPodCgroup(this.#parts, pod).catch(() => undefined);
    for (const { container, running } of inPlace) await this.#update(pod, container, running, signal);
    await applyPodCgroup(this.#parts, pod);
    this.#wanting = restart;
    if (restart.length === 0) this.#condition = undefined;
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
    const message = `Node didn't have enough capacity: ${lacking}, requested: ${number(wanted[lacking])}, capacity: ${number(available[lacking])}`;
    return { ...this.#conditionOf(pod, 'PodResizePending'), reason: 'Infeasible', message };
  }

  #inProgress(pod: Pod): PodCondition {
    return this.#conditionOf(pod, inProgress);
  }

  #conditionOf({ metadata: { generation } }: Pod, type: string): PodCondition {
    const before = this.#condition?.type === type ? this.#condition.lastTransitionTime : undefined;
    return {
      type,
      status: 'True',
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime: before ?? formatTime(this.#parts.environment.clock.now()),
    };
  }
}

function sameAmounts(left: ResourceRequirements | undefined, right: ResourceRequirements | undefined): boolean {
  return (['requests', 'limits'] as const).every((which) => {
    const [one, other] = [amountsOf(left?.[which]), amountsOf(right?.[which])];
    return ['cpu', 'memory'].every((name) => same(one[name], other[name]));
  });
}
