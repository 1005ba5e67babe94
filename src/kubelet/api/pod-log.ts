import type { ContainerStatus } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import type { LogRequest } from '#machinery/node-api.ts';
import { parseTime } from '#machinery/time.ts';
import type { NodeParts } from '../parts.ts';
import { findContainer } from '../pods/containers.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import { findPod } from './targets.ts';

/** The output of a container's present or previous attempt. Throws ApiError with what users know from kubectl. */
export function readPodLog(
  parts: NodeParts,
  manager: PodManager,
  request: LogRequest,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const worker = findPod(manager, request.namespace, request.pod);
  const container = choose(worker, request);
  const isRunning = () =>
    worker.runtime.containers.some(
      ({ id, state }) => id === container.id && (state === 'running' || state === 'created'),
    );
  return parts.host.logs.read(
    { containerId: container.id, path: container.logPath, isRunning },
    {
      follow: request.follow,
      timestamps: request.timestamps,
      sinceMs: sinceOf(request, parts.environment.clock.now()),
      tailLines: request.tailLines,
      limitBytes: request.limitBytes,
      stream: request.stream === 'Stdout' ? 'stdout' : request.stream === 'Stderr' ? 'stderr' : 'all',
    },
    signal,
  );
}

function sinceOf({ sinceSeconds, sinceTime }: LogRequest, nowMs: number): number | undefined {
  if (sinceSeconds !== undefined) return nowMs - sinceSeconds * 1000;
  return sinceTime === undefined ? undefined : parseTime(sinceTime);
}

function choose(worker: PodWorker, { container: name, pod, previous }: LogRequest): RuntimeContainer {
  if (findContainer(worker.pod, name) === undefined)
    throw new ApiError(400, 'BadRequest', `container ${name} is not valid for pod ${pod}`);
  const attempts = worker.runtime.containers.filter((container) => container.name === name);
  if (previous) {
    // While it waits to be restarted, the attempt that ended last is the previous one.
    const state = statusOf(worker, name)?.state;
    const first = state?.waiting === undefined ? 1 : 0;
    const found = attempts.slice(first).find((attempt) => attempt.state === 'exited');
    if (found === undefined)
      throw new ApiError(
        400,
        'BadRequest',
        `previous terminated container ${JSON.stringify(name)} in pod ${JSON.stringify(pod)} not found`,
      );
    return found;
  }
  const found = attempts.find(({ state }) => state !== 'created') ?? attempts[0];
  if (found !== undefined) return found;
  const known = statusOf(worker, name);
  const reason = known?.state?.waiting?.reason;
  const detail =
    reason === 'ErrImagePull' || reason === 'ImagePullBackOff'
      ? 'is waiting to start: trying and failing to pull image'
      : `is waiting to start: ${reason ?? 'no logs available yet'}`;
  throw new ApiError(400, 'BadRequest', `container ${JSON.stringify(name)} in pod ${JSON.stringify(pod)} ${detail}`);
}

function statusOf({ status }: PodWorker, name: string): ContainerStatus | undefined {
  const all = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  return all.find((container) => container.name === name);
}
