import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  ResourceRequirements,
} from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import { conditionsOf, type ReadinessView } from './conditions.ts';
import { ephemeralContainersOf, initContainersOf, restartsAfter } from './containers.ts';
import { isFinished, phaseOf } from './phase.ts';
import { qosClassOf } from './resources.ts';

/** Why a container that should run does not: the outcome of the last attempt to start it. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  /** What was reported last: the base that is never gone back on. */
  readonly previous: PodStatus;
  readonly probes: ReadinessView;
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** What a container runs with, which a resize in place changes later than the spec. */
  readonly appliedResources: (containerId: string) => ResourceRequirements | undefined;
  readonly resizeConditions: readonly PodCondition[];
  readonly hostIps: readonly string[];
  /** For example `containerd`: the scheme of container ids. */
  readonly runtimeName: string;
  /** The pod will not run again: everything in it has ended or is about to. */
  readonly isTerminal: boolean;
  readonly nowMs: number;
}

/** The status of a pod as the kubelet reports it, from what the runtime says. */
export function computeStatus(input: StatusInput): PodStatus {
  const { pod, previous, runtime, hostIps } = input;
  const init = initContainersOf(pod);
  const initContainerStatuses = containerStatuses(input, init, 'init', previous.initContainerStatuses);
  const list = containerStatuses(input, pod.spec.containers, 'app', previous.containerStatuses);
  const ephemeral = containerStatuses(
    input,
    ephemeralContainersOf(pod),
    'ephemeral',
    previous.ephemeralContainerStatuses,
  );
  const phase = phaseOf(pod, initContainerStatuses, list, { isTerminal: input.isTerminal, previous: previous.phase });
  const ips = addressesOf(input);
  const generation = pod.metadata.generation;
  return {
    ...kept(previous),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: conditionsOf(input, phase, initContainerStatuses, list),
    ...(hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: previous.startTime ?? formatTime(input.nowMs),
    ...(init.length === 0 ? {} : { initContainerStatuses }),
    containerStatuses: list,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClassOf(pod),
  };

  function addressesOf({ isTerminal }: StatusInput): readonly string[] {
    const sandbox = runtime.sandboxes[0];
    if (pod.spec.hostNetwork) return sandbox === undefined && previous.podIP === undefined ? [] : hostIps.slice(0, 2);
    const before = (previous.podIPs ?? []).map(({ ip }) => ip ?? '');
    if (sandbox === undefined || sandbox.ips.length === 0) return isTerminal || previous.podIP ? before : [];
    return sandbox.ips;
  }
}

/** Fields that others own, or that stand for good once they are set. */
function kept(previous: PodStatus): Partial<PodStatus> {
  const { reason, message, nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus } = previous;
  return Object.fromEntries(
    Object.entries({ reason, message, nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

type StatusRole = 'init' | 'app' | 'ephemeral';

function containerStatuses(
  input: StatusInput,
  containers: readonly Container[],
  role: StatusRole,
  previous: readonly ContainerStatus[] | undefined,
): readonly ContainerStatus[] {
  return containers.map((container) =>
    containerStatus(
      input,
      container,
      role,
      previous?.find(({ name }) => name === container.name),
    ),
  );
}

function containerStatus(
  input: StatusInput,
  container: Container,
  role: StatusRole,
  before: ContainerStatus | undefined,
): ContainerStatus {
  const attempts = input.runtime.containers.filter(({ name }) => name === container.name);
  const current = attempts[0];
  if (current === undefined) return unseenStatus(input, container, role, before);
  const earlier = attempts.find((attempt, index) => index > 0 && attempt.state === 'exited');
  let state = stateOf(input, current);
  let lastState = earlier === undefined ? before?.lastState : stateOf(input, earlier);
  // An attempt that ended while the runtime was away, and has been removed since, is still the last one.
  if (earlier === undefined && before?.containerID?.endsWith(current.id) === false && before.state?.terminated)
    lastState = before.state;
  const failure = input.failures.get(container.name);
  if (failure !== undefined && current.state !== 'running' && shouldRun(input, container, role, current)) {
    if (state.terminated !== undefined) lastState = state;
    state = { waiting: { reason: failure.reason, message: failure.message } };
  }
  const isRunning = state.running !== undefined;
  const resources =
    input.isTerminal && !isRunning ? undefined : resourcesOf(container, current, input.appliedResources(current.id));
  const started = isRunning && input.probes.started(current.id);
  return {
    name: container.name,
    state,
    ...(lastState === undefined ? {} : { lastState }),
    ready: role === 'ephemeral' ? false : readyOf(input, container, role, current, isRunning),
    restartCount: current.restartCount,
    image: current.image || (container.image ?? ''),
    imageID: current.imageRef || current.imageId,
    containerID: `${input.runtimeName}://${current.id}`,
    ...(role === 'ephemeral' ? {} : { started }),
    ...resources,
    ...(current.user?.linux === undefined
      ? {}
      : {
          user: {
            linux: {
              uid: current.user.linux.uid ?? 0,
              gid: current.user.linux.gid ?? 0,
              supplementalGroups: current.user.linux.supplementalGroups ?? [],
            },
          },
        }),
    ...volumeMountsOf(container),
  };
}

function readyOf(
  input: StatusInput,
  container: Container,
  role: StatusRole,
  current: RuntimeContainer,
  isRunning: boolean,
): boolean {
  // An init container is ready when it has done its work, a sidecar by its probe.
  if (role === 'init' && container.restartPolicy !== 'Always')
    return current.state === 'exited' && current.exitCode === 0;
  return isRunning && input.probes.ready(current.id);
}

function shouldRun(input: StatusInput, container: Container, role: StatusRole, current: RuntimeContainer): boolean {
  if (input.isTerminal || role === 'ephemeral') return false;
  if (current.state !== 'exited') return true;
  if (role === 'init' && container.restartPolicy !== 'Always' && current.exitCode === 0) return false;
  return restartsAfter(input.pod, container, current.exitCode);
}

/** A container that the runtime does not know: not started yet, or collected since. */
function unseenStatus(
  input: StatusInput,
  container: Container,
  role: StatusRole,
  before: ContainerStatus | undefined,
): ContainerStatus {
  const base = {
    name: container.name,
    ready: false,
    restartCount: before?.restartCount ?? 0,
    image: before?.image ?? container.image ?? '',
    imageID: before?.imageID ?? '',
    ...(role === 'ephemeral' ? {} : { started: false }),
    ...volumeMountsOf(container),
  };
  if (before?.state?.terminated !== undefined) return { ...before, ...volumeMountsOf(container) };
  if (before?.state?.running !== undefined) {
    const lost: ContainerState = {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: `The container could not be located when the pod was ${
          input.pod.metadata.deletionTimestamp === undefined ? 'terminated' : 'deleted'
        }.  The container used to be Running`,
      },
    };
    if (input.isTerminal) return { ...base, state: lost, lastState: {} };
    return { ...base, state: waitingToStart(input, role), lastState: lost, restartCount: base.restartCount + 1 };
  }
  const failure = input.failures.get(container.name);
  const state: ContainerState = failure === undefined ? waitingToStart(input, role) : { waiting: { ...failure } };
  return { ...base, state, lastState: before?.lastState ?? {} };
}

function waitingToStart({ pod }: StatusInput, role: StatusRole): ContainerState {
  const waitsForInit = role !== 'ephemeral' && initContainersOf(pod).length > 0;
  return { waiting: { reason: waitsForInit ? 'PodInitializing' : 'ContainerCreating' } };
}

function stateOf(input: StatusInput, container: RuntimeContainer): ContainerState {
  if (container.state === 'created') return { waiting: { reason: 'ContainerCreating' } };
  if (container.state === 'running') return { running: { startedAt: formatTime(container.startedAtMs) } };
  if (container.state === 'unknown')
    return {
      terminated: {
        containerID: `${input.runtimeName}://${container.id}`,
        exitCode: 255,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located',
      },
    };
  const message = input.terminationMessages.get(container.id) || container.message;
  return {
    terminated: {
      containerID: `${input.runtimeName}://${container.id}`,
      exitCode: container.exitCode,
      reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
      ...(message === '' ? {} : { message }),
      startedAt: formatTime(container.startedAtMs),
      finishedAt: formatTime(container.finishedAtMs),
    },
  };
}

function resourcesOf(
  container: Container,
  current: RuntimeContainer,
  applied: ResourceRequirements | undefined,
): Partial<ContainerStatus> {
  if (current.state !== 'running' && current.state !== 'created') return {};
  const requests = container.resources?.requests;
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: applied ?? container.resources ?? {},
  };
}

function volumeMountsOf(container: Container): Partial<ContainerStatus> {
  if (container.volumeMounts === undefined || container.volumeMounts.length === 0) return {};
  return {
    volumeMounts: container.volumeMounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
    })),
  };
}

/** Once a pod has ended, nothing in it may look as if it still ran or waited (upstream's TerminatePod). */
export function terminalStatus(status: PodStatus): PodStatus {
  const wasInitialized = (status.initContainerStatuses ?? []).every(({ state }) => state?.terminated !== undefined);
  const ended = (container: ContainerStatus): ContainerStatus =>
    container.state?.terminated !== undefined
      ? container
      : {
          ...container,
          ready: false,
          started: false,
          state: {
            terminated: {
              exitCode: 137,
              reason: 'ContainerStatusUnknown',
              message: 'The container could not be located when the pod was terminated',
            },
          },
        };
  const isOver = isFinished(status.phase);
  return {
    ...status,
    phase: isOver ? status.phase : 'Failed',
    ...(wasInitialized && status.containerStatuses !== undefined
      ? { containerStatuses: status.containerStatuses.map(ended) }
      : {}),
  };
}
