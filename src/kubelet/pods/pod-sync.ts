import type { Container, Pod, PodStatus, ResourceRequirements } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';
import type { NodeParts } from '../parts.ts';
import { emptyRuntime, latest, type PodRuntime } from '../runtime/pod-runtime.ts';
import { computeActions, type PodActions } from './actions.ts';
import { ContainerKiller, podGraceSeconds } from './container-killer.ts';
import { ContainerRestarts } from './container-restarts.ts';
import { ContainerStarter } from './container-starter.ts';
import { findContainer, isSidecar, roleOf } from './containers.ts';
import { removeOldAttempts } from './old-attempts.ts';
import { isFinished } from './phase.ts';
import { applyPodCgroup } from './pod-cgroup.ts';
import { PodResize } from './pod-resize.ts';
import { PodSandboxes, type ReadySandbox } from './pod-sandboxes.ts';
import { podCgroup } from './resources.ts';
import { StartError } from './start-error.ts';
import { computeStatus, terminalStatus } from './status.ts';
import { readTerminationMessage } from './termination-message.ts';

/** Why a pod is stopped although nobody deleted it. */
export interface Eviction {
  readonly reason: string;
  readonly message: string;
}

/** What a step starts from. */
export interface StepInput {
  readonly pod: Pod;
  /** The object is gone from the API. */
  readonly isGone: boolean;
  readonly eviction: Eviction | undefined;
}

export type Step =
  | {
      readonly outcome: 'active';
      /** Look again at once. */
      readonly again: boolean;
      /** Look again after this time, if nothing happens before. */
      readonly afterMs: number;
    }
  /** The pod has run for longer than it may. */
  | { readonly outcome: 'evict'; readonly eviction: Eviction }
  /** Nothing of the pod runs or is mounted any more. */
  | { readonly outcome: 'terminated' };

/** One step after the other brings what the runtime has to what a pod's spec asks for. */
export class PodSync {
  readonly #parts: NodeParts;
  readonly #uid: string;
  readonly #lasting: AbortSignal;
  readonly #starter: ContainerStarter;
  readonly #killer: ContainerKiller;
  readonly #sandboxes: PodSandboxes;
  readonly #restarts: ContainerRestarts;
  readonly #resize: PodResize;
  readonly #messages = new Map<string, string>();
  #runtime: PodRuntime = emptyRuntime;

  /** @param lasting for calls that go on when a step is cut short. */
  constructor(parts: NodeParts, uid: string, lasting: AbortSignal) {
    this.#parts = parts;
    this.#uid = uid;
    this.#lasting = lasting;
    this.#starter = new ContainerStarter(parts);
    this.#killer = new ContainerKiller(parts);
    this.#sandboxes = new PodSandboxes(parts);
    this.#restarts = new ContainerRestarts(parts);
    this.#resize = new PodResize(parts);
  }

  /** What the runtime had at the last look. */
  get runtime(): PodRuntime {
    return this.#runtime;
  }

  async step(input: StepInput, signal: AbortSignal): Promise<Step> {
    const { pod } = input;
    await this.#inspect(signal);
    if (mustStop(input)) return this.#terminate(input, signal);
    this.#probeRunning(pod);
    this.#resize.look(pod, this.#runtime, (id) => this.#reportedResources(pod, id));
    const status = this.report(input);
    if (isFinished(status.phase)) return this.#terminate(input, signal);
    const deadlineMs = this.#leftMs(pod, status);
    if (deadlineMs <= 0) return this.#exceeded(pod);
    if (await this.#resizeContainers(input, signal)) return { outcome: 'active', again: true, afterMs: deadlineMs };
    const actions = computeActions(pod, this.#runtime, this.#parts.probes);
    if (actions.killPod && !actions.createSandbox) return this.#terminate(input, signal);
    const { again, afterMs } = await this.#act(input, actions, signal);
    return { outcome: 'active', again, afterMs: Math.min(afterMs, deadlineMs) };
  }

  /** Reports the status as it follows from the last look at the runtime. */
  report(input: StepInput): PodStatus {
    const status = this.#compute(input, false);
    this.#parts.statuses.set(input.pod, status);
    return status;
  }

  /** Removes what is left of a pod whose object is gone. */
  async remove(signal: AbortSignal): Promise<void> {
    const { cri, images, metrics, restarts, statuses, view } = this.#parts;
    for (const { id } of this.#runtime.sandboxes) await cri.removePodSandbox(id, signal);
    for (const { id } of this.#runtime.containers) await cri.removeContainer(id, signal);
    view.forget(this.#runtime);
    statuses.forget(this.#uid);
    metrics?.probes.forget(this.#uid);
    restarts.forget(`${this.#uid}/`);
    images.forget(this.#uid);
  }

  async #inspect(signal: AbortSignal): Promise<void> {
    this.#runtime = await this.#parts.view.inspect(this.#uid, signal);
    for (const container of this.#runtime.containers) {
      if (container.state === 'running') continue;
      this.#parts.probes.forget(container.id);
      if (container.state === 'exited' && !this.#messages.has(container.id))
        this.#messages.set(container.id, await readTerminationMessage(this.#parts, container));
    }
  }

  /** Containers that run are probed, also those that were found running after a restart. */
  #probeRunning(pod: Pod): void {
    const { probes, host } = this.#parts;
    const address = (pod.spec.hostNetwork ? host.machine.addresses[0] : this.#podIps()[0]) ?? '';
    for (const running of this.#runtime.containers) {
      if (running.state !== 'running') continue;
      const container = findContainer(pod, running.name);
      if (container === undefined) continue;
      const { id: containerId, startedAtMs } = running;
      const before = this.#reported(pod, containerId);
      probes.watch({ pod, container, containerId, startedAtMs, address, before });
    }
  }

  /** Returns whether containers were stopped that have to start again with other resources. */
  async #resizeContainers(input: StepInput, signal: AbortSignal): Promise<boolean> {
    const { pod } = input;
    const restart = await this.#resize.resize(pod, signal);
    if (restart === undefined) return false;
    for (const running of restart) {
      const message = `Container ${running.name} resize requires restart`;
      const options = { reason: 'changed' as const, message, graceSeconds: podGraceSeconds(pod) };
      await this.#killer.kill(pod, running, options, signal);
      this.#restarts.resized(running);
    }
    this.report(input);
    return restart.length > 0;
  }

  #reported(pod: Pod, containerId: string): { readonly ready: boolean; readonly started: boolean } | undefined {
    const status = this.#parts.statuses.get(pod);
    const known = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find((container) =>
      container.containerID?.endsWith(containerId),
    );
    return known === undefined ? undefined : { ready: known.ready, started: known.started ?? false };
  }

  #reportedResources(pod: Pod, containerId: string): ResourceRequirements | undefined {
    const { containerStatuses = [] } = this.#parts.statuses.get(pod);
    return containerStatuses.find(({ containerID }) => containerID?.endsWith(containerId))?.resources;
  }

  #podIps(): readonly string[] {
    return this.#runtime.sandboxes.find(({ ready }) => ready)?.ips ?? [];
  }

  #compute({ pod, eviction }: StepInput, isTerminal: boolean): PodStatus {
    const { environment, host, probes, runtimeName, statuses } = this.#parts;
    const status = computeStatus({
      pod,
      runtime: this.#runtime,
      previous: statuses.get(pod),
      probes,
      failures: this.#restarts.failures,
      terminationMessages: this.#messages,
      appliedResources: (id) => this.#resize.applied(id),
      resizeConditions: this.#resize.conditions,
      hostIps: host.machine.addresses,
      runtimeName: runtimeName(),
      isTerminal,
      nowMs: environment.clock.now(),
    });
    if (eviction === undefined) return status;
    const { reason, message } = eviction;
    // Containers that were stopped may well have ended with 0: the pod has failed all the same.
    const isOver = isTerminal || status.phase === 'Succeeded';
    return { ...status, ...(isOver ? { phase: 'Failed' } : {}), reason, message };
  }

  /** How long the pod may still be active. */
  #leftMs(pod: Pod, { startTime }: PodStatus): number {
    const seconds = pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || startTime === undefined) return Number.POSITIVE_INFINITY;
    return parseTime(startTime) + seconds * 1000 - this.#parts.environment.clock.now();
  }

  #exceeded(pod: Pod): Step {
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#parts.note(pod, { type: 'Normal', reason: 'DeadlineExceeded', message });
    return { outcome: 'evict', eviction: { reason: 'DeadlineExceeded', message } };
  }

  async #act(
    input: StepInput,
    actions: PodActions,
    signal: AbortSignal,
  ): Promise<{ readonly again: boolean; readonly afterMs: number }> {
    const { pod } = input;
    const { config, environment, probes } = this.#parts;
    if (actions.createSandbox) await this.#stopRemains(pod, signal);
    for (const { container, reason, message } of actions.kill) {
      const graceSeconds = this.#killer.graceFor(pod, findContainer(pod, container.name), reason);
      await this.#killer.kill(pod, container, { reason, message, graceSeconds }, signal);
      probes.forget(container.id);
    }
    const startsSomething = actions.createSandbox || actions.start.length > 0 || actions.startEphemeral.length > 0;
    await this.#prepareVolumes(pod, startsSomething, signal);
    const usualMs = config.syncMs * (1 + environment.random.next() / 2);
    if (!startsSomething) return { again: actions.kill.length > 0, afterMs: usualMs };
    await applyPodCgroup(this.#parts, pod);
    const sandbox = await this.#sandboxes.ensure(pod, actions, this.#lasting);
    let afterMs = usualMs;
    for (const container of [...actions.startEphemeral, ...actions.start])
      afterMs = Math.min(afterMs, await this.#start(pod, container, sandbox, signal));
    await this.#inspect(signal);
    this.#probeRunning(pod);
    this.report(input);
    await removeOldAttempts(this.#parts, this.#runtime, signal);
    // A sidecar that has started lets the next init container begin without any further event.
    return { again: actions.start.some(isSidecar), afterMs };
  }

  /** Throws when something that is to start needs them and they cannot be had. */
  async #prepareVolumes(pod: Pod, areNeeded: boolean, signal: AbortSignal): Promise<void> {
    const { host, volumes, allocatable, note } = this.#parts;
    const hostIps = host.machine.addresses;
    const podIps = pod.spec.hostNetwork ? hostIps : this.#podIps();
    try {
      await volumes.prepare(pod, { podIps, hostIps, allocatable: allocatable() }, signal);
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      note(pod, { type: 'Warning', reason: 'FailedMount', message });
      if (areNeeded) throw error;
    }
  }

  async #stopRemains(pod: Pod, signal: AbortSignal): Promise<void> {
    await this.#killer.killAll(pod, this.#runtime, podGraceSeconds(pod), signal);
    for (const { id, ready } of this.#runtime.sandboxes) if (ready) await this.#parts.cri.stopPodSandbox(id, signal);
  }

  /** Returns after how long to look again; infinite when nothing is to be waited for. */
  async #start(pod: Pod, container: Container, sandbox: ReadySandbox, signal: AbortSignal): Promise<number> {
    const before = latest(this.#runtime, container.name);
    const heldBackMs = this.#restarts.holdBackMs(pod, container, before);
    if (heldBackMs > 0) return heldBackMs;
    const target = {
      pod,
      container,
      runtime: this.#runtime,
      sandboxId: sandbox.id,
      sandboxConfig: sandbox.config,
      podIps: sandbox.ips,
      lasting: this.#lasting,
      attempt: before === undefined ? this.#nextAttempt(pod, container.name) : before.restartCount + 1,
    };
    try {
      const { metrics } = this.#parts;
      const begin = (): Promise<string> => this.#starter.start(target, signal);
      const role = roleOf(pod, container.name);
      const id = await (metrics === undefined ? begin() : metrics.startingContainer(role, begin));
      try {
        await this.#starter.postStart(target, id, signal);
      } catch (error) {
        await this.#parts.cri.stopContainer(id, podGraceSeconds(pod), this.#lasting);
        throw error;
      }
      this.#restarts.started(container.name);
      this.#resize.started(id, container);
      return Number.POSITIVE_INFINITY;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      return this.#restarts.failed(pod, container, error);
    }
  }

  /** A container that ran and was collected since counts on. */
  #nextAttempt(pod: Pod, name: string): number {
    const status = this.#parts.statuses.get(pod);
    const list = roleOf(pod, name) === 'app' ? status.containerStatuses : status.initContainerStatuses;
    const known = list?.find((entry) => entry.name === name);
    return known?.containerID === undefined ? 0 : known.restartCount + 1;
  }

  async #terminate(input: StepInput, signal: AbortSignal): Promise<Step> {
    const { pod } = input;
    const { config, cri, host, metrics, probes, statuses, volumes } = this.#parts;
    probes.stopLivenessAndStartup(this.#uid);
    if (this.#runtime.containers.some(({ state }) => state === 'running')) this.report(input);
    await this.#killer.killAll(pod, this.#runtime, podGraceSeconds(pod), signal);
    for (const { id, ready } of this.#runtime.sandboxes) if (ready) await cri.stopPodSandbox(id, signal);
    await this.#inspect(signal);
    for (const { id } of this.#runtime.containers) probes.forget(id);
    statuses.set(pod, terminalStatus(this.#compute(input, true)));
    await volumes.teardown(this.#uid, signal);
    const remove = async (): Promise<void> => host.cgroups?.remove(podCgroup(pod, config.cgroupRoot), signal);
    await (metrics === undefined ? remove() : metrics.changingCgroup('destroy', remove));
    return { outcome: 'terminated' };
  }
}

function mustStop({ pod, isGone, eviction }: StepInput): boolean {
  return (
    isGone || isFinished(pod.status?.phase) || eviction !== undefined || pod.metadata.deletionTimestamp !== undefined
  );
}
