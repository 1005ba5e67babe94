import { ApiError } from '#machinery/errors.ts';
import type { PodTarget } from '#machinery/node-api.ts';
import { findContainer } from '../pods/containers.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { latest, type RuntimeContainer, type Sandbox } from '../runtime/pod-runtime.ts';

/** The pod of this node that a request names. Throws ApiError 404. */
export function findPod(manager: PodManager, namespace: string, name: string): PodWorker {
  const worker = manager.byName(namespace, name);
  if (worker === undefined) throw new ApiError(404, 'NotFound', `pod ${name}_${namespace} does not exist`);
  return worker;
}

/** The running attempt of a container. Throws ApiError when there is none. */
export function runningContainer(manager: PodManager, { namespace, pod, container }: PodTarget): RuntimeContainer {
  const worker = findPod(manager, namespace, pod);
  const running = latest(worker.runtime, container);
  if (running?.state === 'running') return running;
  if (findContainer(worker.pod, container) === undefined)
    throw new ApiError(400, 'BadRequest', `container ${container} is not valid for pod ${pod}`);
  throw new ApiError(500, 'InternalError', `container not found (${JSON.stringify(container)})`);
}

export function runningSandbox(
  manager: PodManager,
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
): Sandbox {
  const sandbox = findPod(manager, namespace, pod).runtime.sandboxes.find(({ ready }) => ready);
  if (sandbox === undefined) throw new ApiError(500, 'InternalError', `cannot find a running sandbox of pod ${pod}`);
  return sandbox;
}
