import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { containerHash } from '../runtime/names.ts';
import { latest, type PodRuntime, type RuntimeContainer, type Sandbox } from '../runtime/pod-runtime.ts';
import { ephemeralContainersOf, initContainersOf, isSidecar, restartsAfter } from './containers.ts';

/** What a sync has to do so that the runtime has what the pod asks for. */
export interface PodActions {
  /** Everything of the pod stops, because its sandbox is unusable or nothing is left to run. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  readonly sandbox: Sandbox | undefined;
  readonly attempt: number;
  readonly kill: readonly ContainerKill[];
  /** In this order. */
  readonly start: readonly Container[];
  readonly startEphemeral: readonly Container[];
}

export interface ContainerKill {
  readonly container: RuntimeContainer;
  readonly message: string;
  readonly reason: KillReason;
}

export type KillReason = 'livenessProbe' | 'startupProbe' | 'changed' | 'unknown' | 'podKilled';

/** What the probes say about a container's present attempt. */
export interface ProbeView {
  liveness(containerId: string): 'success' | 'failure' | 'unknown';
  startup(containerId: string): 'success' | 'failure' | 'unknown';
  /** Whether the container has passed its startup probe, or has none and its postStart hook is through. */
  started(containerId: string): boolean;
}

/** Compares what should run with what runs. A pure function: the same state gives the same actions. */
export function computeActions(pod: Pod, runtime: PodRuntime, probes: ProbeView): PodActions {
  const sandbox = runtime.sandboxes.find(({ ready }) => ready);
  const usable = sandbox !== undefined && sandbox.hostNetwork === (pod.spec.hostNetwork ?? false) ? sandbox : undefined;
  const usableAddress = usable?.hostNetwork || (usable?.ips.length ?? 0) > 0;
  if (usable === undefined || !usableAddress) return forNewSandbox(pod, runtime);

  const kill: ContainerKill[] = [];
  const start: Container[] = [];
  const none = { killPod: false, createSandbox: false, sandbox: usable, attempt: usable.attempt };
  const startEphemeral = ephemeralContainersOf(pod).filter(({ name }) => latest(runtime, name) === undefined);
  const init = initActions(pod, runtime, usable, probes);
  kill.push(...init.kill);
  start.push(...init.start);
  if (init.failed) return { ...none, killPod: true, kill: [], start: [], startEphemeral: [] };
  if (!init.done) return { ...none, kill, start, startEphemeral };

  let kept = 0;
  let starts = 0;
  for (const container of pod.spec.containers) {
    const status = latest(runtime, container.name);
    if (status?.state !== 'running') {
      if (status !== undefined && status.state === 'exited' && !restartsAfter(pod, container, status.exitCode))
        continue;
      if (status?.state === 'unknown') kill.push({ container: status, reason: 'unknown', message: unknownState });
      start.push(container);
      starts++;
      continue;
    }
    const fault = faultOf(pod, container, status, probes);
    if (fault === undefined) {
      kept++;
      continue;
    }
    kill.push({ container: status, ...fault.kill });
    if (fault.restart) {
      start.push(container);
      starts++;
    }
  }
  if (kept === 0 && starts === 0) return { ...none, killPod: true, kill: [], start: [], startEphemeral: [] };
  return { ...none, kill, start, startEphemeral };
}

const unknownState = 'Container is in unknown state, try killing it before restart';

function forNewSandbox(pod: Pod, runtime: PodRuntime): PodActions {
  const attempt = runtime.sandboxes.length === 0 ? 0 : runtime.sandboxes[0]!.attempt + 1;
  const policy = pod.spec.restartPolicy ?? 'Always';
  const nothing = { killPod: true, createSandbox: false, sandbox: undefined, attempt, kill: [], startEphemeral: [] };
  const ran = runtime.containers.length > 0;
  // A pod that never restarts and has run once is over when its sandbox is.
  if (policy === 'Never' && attempt > 0 && ran) return { ...nothing, start: [] };
  const wanted = pod.spec.containers.filter((container) => {
    const status = latest(runtime, container.name);
    return policy !== 'OnFailure' || status?.state !== 'exited' || status.exitCode !== 0;
  });
  if (wanted.length === 0) return { ...nothing, start: [] };
  const first: Container[] = [];
  for (const container of initContainersOf(pod)) {
    first.push(container);
    break;
  }
  const start = first.length > 0 ? first : wanted;
  return { ...nothing, createSandbox: true, start };
}

interface Fault {
  readonly restart: boolean;
  readonly kill: { readonly reason: KillReason; readonly message: string };
}

function faultOf(pod: Pod, container: Container, status: RuntimeContainer, probes: ProbeView): Fault | undefined {
  const again = ', will be restarted';
  if (status.hash !== '' && status.hash !== containerHash(container))
    return {
      restart: true,
      kill: { reason: 'changed', message: `Container ${container.name} definition changed${again}` },
    };
  const restart = restartsAfter(pod, container, 137);
  const ending = restart ? again : '';
  if (probes.liveness(status.id) === 'failure')
    return {
      restart,
      kill: { reason: 'livenessProbe', message: `Container ${container.name} failed liveness probe${ending}` },
    };
  if (probes.startup(status.id) === 'failure')
    return {
      restart,
      kill: { reason: 'startupProbe', message: `Container ${container.name} failed startup probe${ending}` },
    };
  return undefined;
}

interface InitActions {
  /** All init containers have ended well and all sidecars have started once. */
  readonly done: boolean;
  /** One failed for good. */
  readonly failed: boolean;
  readonly start: readonly Container[];
  readonly kill: readonly ContainerKill[];
}

/**
 * Init containers run one after the other; a sidecar lets the next begin once it has started, and is kept running
 * from then on (KEP-753). What ran in an earlier sandbox does not count.
 */
function initActions(pod: Pod, runtime: PodRuntime, sandbox: Sandbox, probes: ProbeView): InitActions {
  const containers = initContainersOf(pod);
  const here = (name: string) =>
    runtime.containers.find((found) => found.name === name && found.sandboxId === sandbox.id);
  const appNames = new Set(pod.spec.containers.map(({ name }) => name));
  const isInitialized = runtime.containers.some(
    ({ name, sandboxId }) => sandboxId === sandbox.id && appNames.has(name),
  );
  // Ended init containers may have been collected: what stands before one that was started is done.
  const reached = containers.findLastIndex((container) => here(container.name) !== undefined);
  const start: Container[] = [];
  const kill: ContainerKill[] = [];
  for (const [index, container] of containers.entries()) {
    const status = here(container.name);
    if (isSidecar(container)) {
      if (status?.state === 'running') {
        const fault = faultOf(pod, container, status, probes);
        if (fault !== undefined) {
          kill.push({ container: status, ...fault.kill });
          start.push(container);
        } else if (!probes.started(status.id) && !isInitialized) return { done: false, failed: false, start, kill };
        continue;
      }
      if (status?.state === 'unknown') kill.push({ container: status, reason: 'unknown', message: unknownState });
      start.push(container);
      if (!isInitialized && index >= reached) return { done: false, failed: false, start, kill };
      continue;
    }
    if (isInitialized || index < reached) continue;
    if (status?.state === 'running') return { done: false, failed: false, start, kill };
    if (status?.state === 'exited') {
      if (status.exitCode === 0) continue;
      if (!restartsAfter(pod, container, status.exitCode)) return { done: false, failed: true, start: [], kill: [] };
    }
    if (status?.state === 'unknown') kill.push({ container: status, reason: 'unknown', message: unknownState });
    start.push(container);
    return { done: false, failed: false, start, kill };
  }
  return { done: true, failed: false, start, kill };
}
