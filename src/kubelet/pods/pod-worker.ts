import type { Timer } from '#base/clock.ts';
import type { Container, Pod, PodStatus } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';
import type { NodeParts } from '../parts.ts';
import { podText } from '../runtime/names.ts';
import { emptyRuntime, latest, type PodRuntime, type RuntimeContainer } from '../runtime/pod-runtime.ts';
import { computeActions, type PodActions } from './actions.ts';
import { ContainerKiller, podGraceSeconds } from './container-killer.ts';
import { ContainerStarter } from './container-starter.ts';
import { findContainer, isSidecar, roleOf } from './containers.ts';
import { applyPodCgroup } from './pod-cgroup.ts';
import { PodSandboxes } from './pod-sandboxes.ts';
import { podCgroup } from './resources.ts';
import { StartError } from './start-error.ts';
import { computeStatus, type StartFailure, terminalStatus } from './status.ts';
import { readTerminationMessage } from './termination-message.ts';

/** Why a pod is stopped although nobody deleted it. */
export interface Eviction {
  readonly reason: string;
  readonly message: string;
}

const failureRetryMs = 1_000;
const maxFailureRetryMs = 60_000;

/**
 * The one place where a pod is worked on, a step at a time: whatever happens only says "look again", and each look
 * starts from the last known spec and from what the runtime has.
 */
export class PodWorker {
  readonly uid: string;
  readonly #parts: NodeParts;
  readonly #starter: ContainerStarter;
  readonly #killer: ContainerKiller;
  readonly #sandboxes: PodSandboxes;
  readonly #finished: (worker: PodWorker) => void;
  readonly #stopping: AbortController;
  readonly #signal: AbortSignal;
  #pod: Pod;
  #runtime: PodRuntime = emptyRuntime;
  #isGone = false;
  #eviction: Eviction | undefined;
  #isTerminated = false;
  #blockedBy: Promise<void> | undefined;
  readonly #failures = new Map<string, StartFailure>();
  readonly #messages = new Map<string, string>();
  #syncFailures = 0;
  #needsSync = false;
  #isRunning = false;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #cutShort: AbortController | undefined;
  readonly #done: Promise<void>;
  #resolveDone: () => void = () => {};

  constructor(options: {
    readonly parts: NodeParts;
    readonly pod: Pod;
    readonly signal: AbortSignal;
    /** The worker of an earlier pod of the same name: it ends first. */
    readonly after: PodWorker | undefined;
    readonly finished: (worker: PodWorker) => void;
  }) {
    this.#parts = options.parts;
    this.#pod = options.pod;
    this.uid = options.pod.metadata.uid ?? '';
    this.#finished = options.finished;
    this.#blockedBy = options.after?.done;
    this.#starter = new ContainerStarter(options.parts);
    this.#killer = new ContainerKiller(options.parts);
    this.#sandboxes = new PodSandboxes(options.parts);
    this.#stopping = new AbortController();
    options.signal.addEventListener('abort', () => this.#stopping.abort(options.signal.reason), { once: true });
    this.#signal = this.#stopping.signal;
    this.#done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** What is reported of the pod. */
  get status(): PodStatus {
    return this.#parts.statuses.get(this.#pod);
  }

  get runtime(): PodRuntime {
    return this.#runtime;
  }

  /** Resolves when nothing of the pod is left. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Whether the pod still counts against the node's resources. */
  get isActive(): boolean {
    return !this.#isTerminated && this.#eviction === undefined;
  }

  get isTerminated(): boolean {
    return this.#isTerminated;
  }

  update(pod: Pod): void {
    const isShorter = pod.metadata.deletionGracePeriodSeconds !== this.#pod.metadata.deletionGracePeriodSeconds;
    const isDeleted = pod.metadata.deletionTimestamp !== undefined;
    const wasDeleted = this.#pod.metadata.deletionTimestamp !== undefined;
    this.#pod = pod;
    this.#parts.statuses.observe(pod);
    // A deletion must not wait for a pull or a hook, and a shorter grace period must not wait for the longer one.
    if (isDeleted && (!wasDeleted || isShorter)) this.#cutShort?.abort();
    if (!this.#isTerminated || isDeleted) this.wake();
  }

  /** The object is gone from the API: everything else must go as well. */
  removed(): void {
    this.#isGone = true;
    this.#cutShort?.abort();
    this.wake();
  }

  /** Stops the pod for good and reports it as Failed. */
  evict(eviction: Eviction): void {
    this.#eviction ??= eviction;
    this.#cutShort?.abort();
    this.wake();
  }

  /** Something may have changed. */
  wake(): void {
    this.#needsSync = true;
    if (!this.#isRunning && !this.#signal.aborted) void this.#run();
  }

  #wakeAfter(delayMs: number): void {
    const atMs = this.#parts.environment.clock.monotonic() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#parts.environment.clock.schedule(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    if (this.#blockedBy !== undefined) {
      await this.#blockedBy;
      this.#blockedBy = undefined;
    }
    while (this.#needsSync && !this.#signal.aborted) {
      this.#needsSync = false;
      this.#cutShort = new AbortController();
      const signal = AbortSignal.any([this.#signal, this.#cutShort.signal]);
      try {
        await this.#sync(signal);
        this.#syncFailures = 0;
      } catch (error) {
        if (this.#signal.aborted) break;
        if (signal.aborted) this.#needsSync = true;
        else this.#afterFailure(error);
      }
    }
    this.#isRunning = false;
  }

  #afterFailure(error: unknown): void {
    this.#syncFailures++;
    const message = error instanceof Error ? error.message : String(error);
    this.#parts.environment.log.warn('cannot sync pod', { pod: podText(this.#pod), message });
    this.#wakeAfter(Math.min(maxFailureRetryMs, failureRetryMs * 2 ** Math.min(10, this.#syncFailures - 1)));
  }

  async #sync(signal: AbortSignal): Promise<void> {
    if (this.#isTerminated) {
      await this.#afterTermination(signal);
      return;
    }
    await this.#inspect(signal);
    if (this.#mustStop()) {
      await this.#terminate(signal);
      return;
    }
    this.#probeRunning();
    const status = this.#report(false);
    if (status.phase === 'Succeeded' || status.phase === 'Failed') {
      await this.#terminate(signal);
      return;
    }
    if (this.#watchDeadline(status)) return;
    const actions = computeActions(this.#pod, this.#runtime, this.#parts.probes);
    if (actions.killPod && !actions.createSandbox) {
      await this.#terminate(signal);
      return;
    }
    await this.#act(actions, signal);
    this.#wakeAfter(this.#parts.config.syncMs * (1 + this.#parts.environment.random.next() / 2));
  }

  #mustStop(): boolean {
    const phase = this.#pod.status?.phase;
    return (
      this.#isGone ||
      this.#eviction !== undefined ||
      this.#pod.metadata.deletionTimestamp !== undefined ||
      phase === 'Failed' ||
      phase === 'Succeeded'
    );
  }

  async #inspect(signal: AbortSignal): Promise<void> {
    this.#runtime = await this.#parts.view.inspect(this.uid, signal);
    for (const container of this.#runtime.containers) {
      if (container.state === 'running') continue;
      this.#parts.probes.forget(container.id);
      if (container.state === 'exited' && !this.#messages.has(container.id))
        this.#messages.set(container.id, await readTerminationMessage(this.#parts, container));
    }
  }

  /** Containers that run are probed, also those that were found running after a restart. */
  #probeRunning(): void {
    const { probes, host } = this.#parts;
    for (const running of this.#runtime.containers) {
      if (running.state !== 'running') continue;
      const container = findContainer(this.#pod, running.name);
      if (container === undefined) continue;
      const address = this.#pod.spec.hostNetwork ? host.machine.addresses[0] : this.#podIps()[0];
      probes.watch({
        pod: this.#pod,
        container,
        containerId: running.id,
        startedAtMs: running.startedAtMs,
        address: address ?? '',
      });
    }
  }

  #podIps(): readonly string[] {
    return this.#runtime.sandboxes.find(({ ready }) => ready)?.ips ?? [];
  }

  #compute(isTerminal: boolean): PodStatus {
    const { environment, host, probes, runtimeName, statuses } = this.#parts;
    const status = computeStatus({
      pod: this.#pod,
      runtime: this.#runtime,
      previous: statuses.get(this.#pod),
      probes,
      failures: this.#failures,
      terminationMessages: this.#messages,
      hostIps: host.machine.addresses,
      runtimeName: runtimeName(),
      isTerminal,
      nowMs: environment.clock.now(),
    });
    if (this.#eviction === undefined) return status;
    const { reason, message } = this.#eviction;
    return {
      ...status,
      phase: status.phase === 'Succeeded' ? 'Succeeded' : isTerminal ? 'Failed' : status.phase!,
      reason,
      message,
    };
  }

  #report(isTerminal: boolean): PodStatus {
    const status = this.#compute(isTerminal);
    this.#parts.statuses.set(this.#pod, status);
    return status;
  }

  /** Stops a pod that was active for longer than it may be. */
  #watchDeadline(status: PodStatus): boolean {
    const seconds = this.#pod.spec.activeDeadlineSeconds;
    if (seconds === undefined || status.startTime === undefined) return false;
    const leftMs = parseTime(status.startTime) + seconds * 1000 - this.#parts.environment.clock.now();
    if (leftMs > 0) {
      this.#wakeAfter(leftMs);
      return false;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#parts.note(this.#pod, { type: 'Normal', reason: 'DeadlineExceeded', message });
    this.evict({ reason: 'DeadlineExceeded', message });
    return true;
  }

  async #act(actions: PodActions, signal: AbortSignal): Promise<void> {
    if (actions.createSandbox) await this.#stopRemains(signal);
    for (const { container, reason, message } of actions.kill) {
      const graceSeconds = this.#killer.graceFor(this.#pod, findContainer(this.#pod, container.name), reason);
      await this.#killer.kill(this.#pod, container, { reason, message, graceSeconds }, signal);
      this.#parts.probes.forget(container.id);
    }
    const startsSomething = actions.createSandbox || actions.start.length > 0 || actions.startEphemeral.length > 0;
    if (!(await this.#prepareVolumes(startsSomething, signal))) return;
    if (!startsSomething) {
      if (actions.kill.length > 0) this.#needsSync = true;
      return;
    }
    const release = await this.#parts.starts.acquire(signal);
    try {
      await applyPodCgroup(this.#parts, this.#pod);
      const sandbox = await this.#sandboxes.ensure(this.#pod, actions, this.#signal);
      if (sandbox === undefined) {
        this.#wakeAfter(failureRetryMs * 2 ** Math.min(6, this.#syncFailures++));
        return;
      }
      for (const container of actions.startEphemeral) await this.#start(container, sandbox, signal);
      for (const container of actions.start) await this.#start(container, sandbox, signal);
    } finally {
      release();
    }
    await this.#inspect(signal);
    this.#probeRunning();
    this.#report(false);
    // A sidecar that has started lets the next init container begin without any further event.
    if (actions.start.some((container) => isSidecar(container))) this.#needsSync = true;
  }

  async #prepareVolumes(mustReport: boolean, signal: AbortSignal): Promise<boolean> {
    const { host, volumes, allocatable } = this.#parts;
    const hostIps = host.machine.addresses;
    const podIps = this.#pod.spec.hostNetwork ? hostIps : this.#podIps();
    try {
      await volumes.prepare(this.#pod, { podIps, hostIps, allocatable: allocatable() }, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      this.#parts.note(this.#pod, { type: 'Warning', reason: 'FailedMount', message });
      if (mustReport) this.#afterFailure(error);
      return false;
    }
  }

  async #stopRemains(signal: AbortSignal): Promise<void> {
    const grace = podGraceSeconds(this.#pod);
    await this.#killer.killAll(this.#pod, this.#runtime, grace, signal);
    for (const sandbox of this.#runtime.sandboxes)
      if (sandbox.ready) await this.#parts.cri.stopPodSandbox(sandbox.id, signal);
  }

  async #start(
    container: Container,
    sandbox: Awaited<ReturnType<PodSandboxes['ensure']>> & object,
    signal: AbortSignal,
  ): Promise<void> {
    const before = latest(this.#runtime, container.name);
    if (!this.#mayRestart(container, before)) return;
    const target = {
      pod: this.#pod,
      container,
      runtime: this.#runtime,
      sandboxId: sandbox.id,
      sandboxConfig: sandbox.config,
      podIps: sandbox.ips,
      lasting: this.#signal,
      attempt: before === undefined ? this.#nextAttempt(container.name) : before.restartCount + 1,
      ...('targetContainerName' in container && typeof container.targetContainerName === 'string'
        ? { targetContainerName: container.targetContainerName }
        : {}),
    };
    try {
      const id = await this.#starter.start(target, signal);
      this.#failures.delete(container.name);
      try {
        await this.#starter.postStart(target, id, signal);
      } catch (error) {
        await this.#parts.cri.stopContainer(id, podGraceSeconds(this.#pod), signal);
        throw error;
      }
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      this.#failures.set(container.name, { reason: error.reason, message: error.message });
      const waitMs = this.#parts.images.waitMs(this.#pod, container);
      this.#wakeAfter(waitMs > 0 ? waitMs : this.#retryMs(container.name));
    }
  }

  #nextAttempt(name: string): number {
    const { statuses } = this.#parts;
    const status = statuses.get(this.#pod);
    const list = roleOf(this.#pod, name) === 'app' ? status.containerStatuses : status.initContainerStatuses;
    const known = list?.find((entry) => entry.name === name);
    // A container that ran and was collected since counts on.
    return known?.containerID === undefined ? 0 : known.restartCount + 1;
  }

  readonly #retries = new Map<string, number>();

  #retryMs(name: string): number {
    const failures = (this.#retries.get(name) ?? 0) + 1;
    this.#retries.set(name, failures);
    return Math.min(maxFailureRetryMs, failureRetryMs * 2 ** Math.min(10, failures));
  }

  /** Holds back a container that keeps ending: CrashLoopBackOff. */
  #mayRestart(container: Container, before: RuntimeContainer | undefined): boolean {
    if (before === undefined || before.state !== 'exited') return true;
    const { restarts, note } = this.#parts;
    const key = `${this.uid}/${container.name}`;
    const waitMs = restarts.remainingMs(key, before.finishedAtMs);
    if (waitMs > 0) {
      const delay = formatBackoff(restarts.delayMs(key));
      note(this.#pod, {
        type: 'Warning',
        reason: 'BackOff',
        message: `Back-off restarting failed container ${container.name} in pod ${podText(this.#pod)}`,
        fieldPath: `spec.${roleOf(this.#pod, container.name) === 'app' ? 'containers' : 'initContainers'}{${container.name}}`,
      });
      this.#failures.set(container.name, {
        reason: 'CrashLoopBackOff',
        message: `back-off ${delay} restarting failed container=${container.name} pod=${podText(this.#pod)}`,
      });
      this.#wakeAfter(waitMs);
      return false;
    }
    restarts.next(key, before.finishedAtMs);
    return true;
  }

  async #terminate(signal: AbortSignal): Promise<void> {
    const { cri, probes, statuses, volumes, host, config } = this.#parts;
    probes.stopLivenessAndStartup(this.uid);
    const grace = podGraceSeconds(this.#pod);
    if (this.#runtime.containers.some(({ state }) => state === 'running')) this.#report(false);
    await this.#killer.killAll(this.#pod, this.#runtime, grace, signal);
    for (const sandbox of this.#runtime.sandboxes) if (sandbox.ready) await cri.stopPodSandbox(sandbox.id, signal);
    await this.#inspect(signal);
    for (const { id } of this.#runtime.containers) probes.forget(id);
    const status = terminalStatus(this.#compute(true));
    statuses.set(this.#pod, status);
    await volumes.teardown(this.uid, signal);
    if (host.cgroups !== undefined) await host.cgroups.remove(podCgroup(this.#pod, config.cgroupRoot), signal);
    this.#isTerminated = true;
    this.#timer?.cancel();
    await this.#afterTermination(signal);
  }

  /** A pod that has ended stays until its object is deleted; then its object and its remains go. */
  async #afterTermination(signal: AbortSignal): Promise<void> {
    const { cri, statuses, view, restarts, images } = this.#parts;
    if (!this.#isGone) {
      if (this.#pod.metadata.deletionTimestamp !== undefined)
        await statuses.finish(this.#pod, terminalStatus(statuses.get(this.#pod)));
      // The DELETED event follows and ends the worker.
      return;
    }
    for (const sandbox of this.#runtime.sandboxes) await cri.removePodSandbox(sandbox.id, signal);
    for (const container of this.#runtime.containers) await cri.removeContainer(container.id, signal);
    view.forget(this.#runtime);
    statuses.forget(this.uid);
    restarts.forget(`${this.uid}/`);
    images.forget(this.uid);
    this.#stopping.abort();
    this.#resolveDone();
    this.#finished(this);
  }
}

function formatBackoff(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1000);
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
