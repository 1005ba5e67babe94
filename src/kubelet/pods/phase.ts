import type { ContainerStatus, Pod } from '#kinds/generated/types/core_v1.ts';
import { initContainersOf, isSidecar } from './containers.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** Whether a pod has ended for good. */
export function isFinished(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** The phase by the states of the containers. A terminal phase is never left. */
export function phaseOf(
  pod: Pod,
  init: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
  options: { readonly isTerminal: boolean; readonly previous: string | undefined },
): PodPhase {
  if (isFinished(options.previous)) return options.previous;
  const policy = pod.spec.restartPolicy ?? 'Always';
  const initialization = initializationOf(pod, init);
  if (initialization === 'failed' && policy === 'Never') return 'Failed';

  let running = 0;
  let waiting = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const { state, lastState } of containers) {
    if (state?.running !== undefined) running++;
    else if (state?.terminated !== undefined) {
      stopped++;
      if (state.terminated.exitCode === 0) succeeded++;
    } else if (lastState?.terminated !== undefined) stopped++;
    else waiting++;
  }
  if (initialization !== 'done' && !(options.isTerminal && waiting === 0)) return 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped === 0) return 'Pending';
  if (options.isTerminal) {
    const sidecarsRun = init.some(({ state }) => state?.running !== undefined);
    if (sidecarsRun) return 'Running';
    return stopped === succeeded ? 'Succeeded' : 'Failed';
  }
  if (policy === 'Always') return 'Running';
  if (stopped === succeeded) return sidecarsStillRun(pod, init) ? 'Running' : 'Succeeded';
  return policy === 'Never' && !sidecarsStillRun(pod, init) ? 'Failed' : 'Running';
}

/** Sidecars stop after the app containers: until then the pod still runs (KEP-753). */
function sidecarsStillRun(pod: Pod, init: readonly ContainerStatus[]): boolean {
  return initContainersOf(pod).some(
    (container) =>
      isSidecar(container) && init.find(({ name }) => name === container.name)?.state?.running !== undefined,
  );
}

function initializationOf(pod: Pod, statuses: readonly ContainerStatus[]): 'done' | 'pending' | 'failed' {
  let isPending = false;
  for (const container of initContainersOf(pod)) {
    const status = statuses.find(({ name }) => name === container.name);
    if (isSidecar(container)) {
      const hasRun = status?.started || status?.state?.terminated || status?.lastState?.terminated;
      if (!hasRun) isPending = true;
      continue;
    }
    const ended = status?.state?.terminated ?? (status?.state?.waiting && status.lastState?.terminated);
    if (status?.state?.terminated !== undefined && status.state.terminated.exitCode === 0) continue;
    if (ended !== undefined && ended.exitCode !== 0 && status?.state?.terminated !== undefined) return 'failed';
    isPending = true;
  }
  return isPending ? 'pending' : 'done';
}
