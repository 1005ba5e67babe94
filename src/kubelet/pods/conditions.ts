import type { ContainerStatus, Pod, PodCondition, PodStatus } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { isOwned } from '../status/status-patch.ts';
import { initContainersOf, isSidecar } from './containers.ts';
import { isFinished, type PodPhase } from './phase.ts';

/** What probes and hooks say about the present attempt of a container. */
export interface ReadinessView {
  ready(containerId: string): boolean;
  started(containerId: string): boolean;
}

interface ConditionInput {
  readonly pod: Pod;
  readonly runtime: PodRuntime;
  readonly previous: PodStatus;
  readonly resizeConditions: readonly PodCondition[];
  readonly nowMs: number;
}

type Outcome = { readonly status: 'True' | 'False'; readonly reason?: string; readonly message?: string };

const yes: Outcome = { status: 'True' };
const owned = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'] as const;

/** The kubelet's own conditions, and those of others as they stand. Transition times move only with the status. */
export function conditionsOf(
  input: ConditionInput,
  phase: PodPhase,
  init: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): readonly PodCondition[] {
  const { pod, previous, nowMs } = input;
  const containersReady = containersReadyOf(pod, phase, init, containers);
  const outcomes: Record<(typeof owned)[number], Outcome> = {
    PodReadyToStartContainers: sandboxReadyOf(input, phase),
    Initialized: initializedOf(pod, phase, init, containers),
    Ready: podReadyOf(pod, previous, phase, containersReady),
    ContainersReady: containersReady,
    PodScheduled: yes,
  };
  const conditions: PodCondition[] = owned.map((type) => {
    const before = previous.conditions?.find((condition) => condition.type === type);
    const moved = before?.status !== outcomes[type].status;
    return {
      type,
      ...outcomes[type],
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      lastTransitionTime: moved ? formatTime(nowMs) : (before?.lastTransitionTime ?? formatTime(nowMs)),
    } as PodCondition;
  });
  const others = (previous.conditions ?? []).filter((condition) => !isOwned(condition));
  return [...conditions, ...input.resizeConditions, ...others];
}

function sandboxReadyOf({ pod, runtime }: ConditionInput, phase: PodPhase): Outcome {
  if (isFinished(phase)) return { status: 'False' };
  const sandbox = runtime.sandboxes.find(({ ready }) => ready);
  const hasNetwork = sandbox !== undefined && (pod.spec.hostNetwork || sandbox.ips.length > 0);
  return { status: hasNetwork ? 'True' : 'False' };
}

function initializedOf(
  pod: Pod,
  phase: PodPhase,
  init: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): Outcome {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  const hasBegun = containers.some(
    ({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated,
  );
  if (hasBegun) return yes;
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of initContainersOf(pod)) {
    const status = init.find(({ name }) => name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container) ? !status.started : !status.ready) incomplete.push(container.name);
  }
  const message = namesMessage(unknown, incomplete, 'incomplete');
  if (message === undefined) return yes;
  return { status: 'False', reason: 'ContainersNotInitialized', message };
}

function containersReadyOf(
  pod: Pod,
  phase: PodPhase,
  init: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): Outcome {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready: string[] = [];
  for (const container of initContainersOf(pod)) {
    if (!isSidecar(container)) continue;
    if (init.find(({ name }) => name === container.name)?.ready !== true) unready.push(container.name);
  }
  for (const container of pod.spec.containers)
    if (containers.find(({ name }) => name === container.name)?.ready !== true) unready.push(container.name);
  const message = namesMessage([], unready, 'unready');
  return message === undefined ? yes : { status: 'False', reason: 'ContainersNotReady', message };
}

function podReadyOf(pod: Pod, previous: PodStatus, phase: PodPhase, containersReady: Outcome): Outcome {
  if (isFinished(phase) || containersReady.status === 'False') return containersReady;
  const unmet: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = (pod.status ?? previous).conditions?.find(({ type }) => type === conditionType);
    const gate = `pod readiness gate "${conditionType}"`;
    if (condition === undefined) unmet.push(`corresponding condition of ${gate} does not exist.`);
    else if (condition.status !== 'True') unmet.push(`the status of ${gate} is not "True", but ${condition.status}`);
  }
  if (unmet.length === 0) return yes;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: unmet.join(', ') };
}

function namesMessage(unknown: readonly string[], bad: readonly string[], word: string): string | undefined {
  const parts: string[] = [];
  if (unknown.length > 0) parts.push(`containers with unknown status: [${unknown.join(' ')}]`);
  if (bad.length > 0) parts.push(`containers with ${word} status: [${bad.join(' ')}]`);
  return parts.length === 0 ? undefined : parts.join(', ');
}
