import type { Clock } from '#base/clock.ts';
import { exponentialBounds, type Metrics } from '#base/metrics.ts';
import type { Cri } from './cri.ts';

/** Upstream's bounds, in seconds. */
const operationBounds = exponentialBounds(0.005, 2.5, 14);
const sandboxBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The same runtime, with each call counted and timed: `kubelet_runtime_operations_*`. */
export function measuredCri(cri: Cri, metrics: Metrics, clock: Clock): Cri {
  const timed = operationTimer(metrics, clock);
  const sandboxes = metrics.histogram(
    'kubelet_run_podsandbox_duration_seconds',
    'How long sandboxes took to run.',
    sandboxBounds,
  );
  const sandboxErrors = metrics.counter('kubelet_run_podsandbox_errors_total', 'Sandboxes that could not be run.');
  const run = timed('run_podsandbox', cri.runPodSandbox.bind(cri));
  return {
    version: timed('version', cri.version.bind(cri)),
    status: timed('status', cri.status.bind(cri)),
    updateRuntimeConfig: timed('update_runtime_config', cri.updateRuntimeConfig.bind(cri)),
    async runPodSandbox(request, signal) {
      const labels = { runtime_handler: request.runtimeHandler ?? '' };
      const sinceMs = clock.monotonic();
      try {
        return await run(request, signal);
      } catch (error) {
        sandboxErrors.add(labels);
        throw error;
      } finally {
        sandboxes.observe(labels, (clock.monotonic() - sinceMs) / 1000);
      }
    },
    stopPodSandbox: timed('stop_podsandbox', cri.stopPodSandbox.bind(cri)),
    removePodSandbox: timed('remove_podsandbox', cri.removePodSandbox.bind(cri)),
    podSandboxStatus: timed('podsandbox_status', cri.podSandboxStatus.bind(cri)),
    listPodSandbox: timed('list_podsandbox', cri.listPodSandbox.bind(cri)),
    createContainer: timed('create_container', cri.createContainer.bind(cri)),
    startContainer: timed('start_container', cri.startContainer.bind(cri)),
    stopContainer: timed('stop_container', cri.stopContainer.bind(cri)),
    removeContainer: timed('remove_container', cri.removeContainer.bind(cri)),
    containerStatus: timed('container_status', cri.containerStatus.bind(cri)),
    listContainers: timed('list_containers', cri.listContainers.bind(cri)),
    updateContainerResources: timed('update_container', cri.updateContainerResources.bind(cri)),
    reopenContainerLog: timed('reopen_container_log', cri.reopenContainerLog.bind(cri)),
    execSync: timed('exec_sync', cri.execSync.bind(cri)),
    exec: timed('exec', cri.exec.bind(cri)),
    attach: timed('attach', cri.attach.bind(cri)),
    portForward: timed('port_forward', cri.portForward.bind(cri)),
    containerStats: timed('container_stats', cri.containerStats.bind(cri)),
    listContainerStats: timed('list_container_stats', cri.listContainerStats.bind(cri)),
    podSandboxStats: timed('podsandbox_stats', cri.podSandboxStats.bind(cri)),
    listPodSandboxStats: timed('list_podsandbox_stats', cri.listPodSandboxStats.bind(cri)),
    listImages: timed('list_images', cri.listImages.bind(cri)),
    imageStatus: timed('image_status', cri.imageStatus.bind(cri)),
    pullImage: timed('pull_image', cri.pullImage.bind(cri)),
    removeImage: timed('remove_image', cri.removeImage.bind(cri)),
    imageFsInfo: timed('image_fs_info', cri.imageFsInfo.bind(cri)),
    events: cri.events.bind(cri),
  };
}

type Timer = <Parameters extends readonly unknown[], Answer>(
  operation: string,
  call: (...parameters: Parameters) => Promise<Answer>,
) => (...parameters: Parameters) => Promise<Answer>;

function operationTimer(metrics: Metrics, clock: Clock): Timer {
  const totals = metrics.counter('kubelet_runtime_operations_total', 'Calls of the container runtime.');
  const failures = metrics.counter('kubelet_runtime_operations_errors_total', 'Calls that it refused, or that failed.');
  const durations = metrics.histogram(
    'kubelet_runtime_operations_duration_seconds',
    'How long those took.',
    operationBounds,
  );
  return (operation, call) => {
    const labels = { operation_type: operation };
    const [count, failed, seconds] = [totals.series(labels), failures.series(labels), durations.series(labels)];
    return async (...parameters) => {
      const sinceMs = clock.monotonic();
      count(1);
      try {
        return await call(...parameters);
      } catch (error) {
        failed(1);
        throw error;
      } finally {
        seconds((clock.monotonic() - sinceMs) / 1000);
      }
    };
  };
}
