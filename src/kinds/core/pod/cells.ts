import { age, name } from '#kinds/cells.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import { formatAge, parseTime } from '#machinery/time.ts';

/** What the cells of a pod are told by its containers. */
interface Progress {
  reason: string;
  ready: number;
  restarts: number;
  /** Milliseconds since 1970; 0 when nothing ever ended. */
  lastRestart: number;
}

const none = '<none>';

/** Ready, status with its many reasons, restarts and the rest of `kubectl get pods`. */
export function podCells(pod: core.Pod, now: number): readonly Cell[] {
  const { status = {}, spec } = pod;
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  const progress = progressOf(pod);
  const total = (spec.containers ?? []).length + sidecars.length;
  return [
    name(pod),
    `${progress.ready}/${total}`,
    endingReason(pod) ?? progress.reason,
    restartsText(progress, now),
    age(pod, now),
    status.podIPs?.[0]?.ip || none,
    spec.nodeName || none,
    status.nominatedNodeName || none,
    readinessGates(pod),
  ];
}

function isSidecar(container: core.Container | undefined): boolean {
  return container?.restartPolicy === 'Always';
}

/** What being deleted says over everything else. */
function endingReason({ metadata, status = {} }: core.Pod): string | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  if (status.reason === 'NodeLost') return 'Unknown';
  return status.phase === 'Succeeded' || status.phase === 'Failed' ? undefined : 'Terminating';
}

function progressOf(pod: core.Pod): Progress {
  const { status = {} } = pod;
  const isGated = status.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  const start = isGated === true ? 'SchedulingGated' : status.reason || (status.phase ?? '');
  const init: Progress = { reason: start, ready: 0, restarts: 0, lastRestart: 0 };
  const sidecars: Progress = { reason: '', ready: 0, restarts: 0, lastRestart: 0 };
  const isInitializing = readInitContainers(pod, init, sidecars);
  const isInitialized = status.conditions?.some(({ type, status: is }) => type === 'Initialized' && is === 'True');
  if (isInitializing && isInitialized !== true) return init;
  const progress: Progress = { ...sidecars, reason: init.reason, ready: init.ready };
  readContainers(status, progress);
  return progress;
}

/** Whether the first init container that is not done keeps the others waiting. */
function readInitContainers({ spec, status = {} }: core.Pod, all: Progress, sidecars: Progress): boolean {
  const specs = new Map((spec.initContainers ?? []).map((container) => [container.name, container]));
  const statuses = status.initContainerStatuses ?? [];
  for (const [index, container] of statuses.entries()) {
    const sidecar = isSidecar(specs.get(container.name));
    countRestarts(container, all);
    if (sidecar) countRestarts(container, sidecars);
    const { terminated, waiting } = container.state ?? {};
    if (terminated !== undefined && terminated.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) all.ready++;
      continue;
    }
    if (terminated !== undefined) all.reason = `Init:${terminatedReason(terminated)}`;
    else if ((waiting?.reason ?? '') !== '' && waiting?.reason !== 'PodInitializing')
      all.reason = `Init:${waiting?.reason}`;
    else all.reason = `Init:${index}/${specs.size}`;
    return true;
  }
  return false;
}

function readContainers(status: core.PodStatus, progress: Progress): void {
  let isRunning = false;
  let failure = '';
  for (const container of [...(status.containerStatuses ?? [])].reverse()) {
    countRestarts(container, progress);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting !== undefined && (waiting.reason ?? '') !== '') {
      progress.reason = waiting.reason!;
    } else if (terminated !== undefined) {
      progress.reason = terminatedReason(terminated);
      if (terminated.exitCode !== 0) failure = progress.reason;
    } else if (container.ready && running !== undefined) {
      isRunning = true;
      progress.ready++;
    }
  }
  if (progress.reason !== 'Completed') return;
  const isReady = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  if (isRunning && isReady === true) progress.reason = 'Running';
  else if (failure !== '') progress.reason = failure;
  else if (isRunning) progress.reason = 'NotReady';
}

function terminatedReason({ reason = '', signal = 0, exitCode }: core.ContainerStateTerminated): string {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

function countRestarts(container: core.ContainerStatus, progress: Progress): void {
  progress.restarts += container.restartCount ?? 0;
  const finishedAt = container.lastState?.terminated?.finishedAt;
  if (finishedAt) progress.lastRestart = Math.max(progress.lastRestart, parseTime(finishedAt));
}

function restartsText({ restarts, lastRestart }: Progress, now: number): string {
  return restarts === 0 || lastRestart === 0 ? String(restarts) : `${restarts} (${formatAge(now - lastRestart)} ago)`;
}

function readinessGates({ spec, status = {} }: core.Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return none;
  const isTrue = (conditionType: string): boolean =>
    status.conditions?.find(({ type }) => type === conditionType)?.status === 'True';
  return `${gates.filter((gate) => isTrue(gate.conditionType)).length}/${gates.length}`;
}
