import { Metrics } from '#base/metrics.ts';
import { processReadings } from '#system/process-readings.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { pluginNameOf } from '../volumes/plugin-names.ts';
import { Exposition, type Labels } from './exposition.ts';
import type { PageContext } from './page-context.ts';
import { podSamples } from './stats-summary.ts';

type PodSamples = Awaited<ReturnType<typeof podSamples>>[number];
type ContainerSamples = PodSamples['containers'][number];

/** Writes families that have a sample for each container. */
function perContainer(
  text: Exposition,
  pods: readonly PodSamples[],
  labelsOf: (container: ContainerSamples, pod: PodSamples) => Labels,
) {
  return (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (container: ContainerSamples) => number,
  ): void => {
    const sample = text.family(name, type, help);
    for (const pod of pods)
      for (const container of pod.containers)
        sample(labelsOf(container, pod), value(container), container.sample.timeMs);
  };
}

/** `/metrics`: the node agent itself. What it did is counted meanwhile; what there is, now. */
export function kubeletMetrics({ manager, parts }: PageContext): string {
  const page = new Metrics();
  const workers = [...manager.workers];
  const gauge = (name: string, help: string, read: () => Iterable<readonly [Labels, number]>): void =>
    page.gauge(`kubelet_${name}`, help, read);
  gauge('node_name', 'The name of the node. The value is always 1.', () => [[{ node: parts.nodeName }, 1]]);
  gauge('running_containers', 'Number of containers by their state.', () =>
    (['created', 'exited', 'running', 'unknown'] as const).map((state) => [
      { container_state: state },
      workers.reduce((sum, { runtime }) => sum + runtime.containers.filter((one) => one.state === state).length, 0),
    ]),
  );
  const running = workers.filter(({ runtime }) => runtime.sandboxes.some(({ ready }) => ready));
  gauge('running_pods', 'Number of pods with a running sandbox.', () => [[{}, running.length]]);
  gauge('desired_pods', 'Number of pods bound to this node.', () => [[{ static: '' }, workers.length]]);
  const active = workers.filter(({ isActive }) => isActive).length;
  gauge('active_pods', 'Of those, the ones that count against its resources.', () => [[{ static: '' }, active]]);
  const { cgroups } = parts.host;
  if (cgroups !== undefined)
    gauge('cgroup_version', 'Which of the two layouts cgroups have.', () => [[{}, cgroups.version]]);
  page.gauge('volume_manager_total_volumes', 'Volumes of pods, and those that are there for running ones.', () => [
    ...volumeCounts(workers, 'desired_state_of_world'),
    ...volumeCounts(running, 'actual_state_of_world'),
  ]);
  for (const { name, type, help, read } of processReadings)
    page[type](name, help, () => {
      const value = read();
      return value === undefined ? [] : [[{}, value]];
    });
  return page.render() + (parts.metrics?.page.render() ?? '');
}

function volumeCounts(workers: readonly PodWorker[], state: string): readonly (readonly [Labels, number])[] {
  const counts = new Map<string, number>();
  for (const { pod } of workers)
    for (const volume of pod.spec.volumes ?? []) {
      const plugin = pluginNameOf(volume);
      if (plugin !== undefined) counts.set(plugin, (counts.get(plugin) ?? 0) + 1);
    }
  return [...counts].map(([plugin_name, count]) => [{ plugin_name, state }, count]);
}

/** `/metrics/resource`: what metrics-server reads. */
export async function resourceMetrics(context: PageContext, signal: AbortSignal): Promise<string> {
  const text = new Exposition();
  const pods = await podSamples(context, signal);
  const usage = await context.parts.host.usage(signal);
  const nowMs = context.parts.environment.clock.now();
  const eachContainer = perContainer(text, pods, (container, pod) => ({
    container: container.name,
    namespace: pod.namespace,
    pod: pod.name,
  }));
  eachContainer(
    'container_cpu_usage_seconds_total',
    'counter',
    'CPU time used by the container in core-seconds',
    ({ sample }) => sample.cpuNanoSeconds / 1e9,
  );
  eachContainer(
    'container_memory_working_set_bytes',
    'gauge',
    'Working set of the container in bytes',
    ({ sample }) => sample.memoryWorkingSetBytes,
  );
  eachContainer(
    'container_start_time_seconds',
    'gauge',
    'Start time of the container in seconds since the Unix epoch',
    ({ startedAtMs }) => startedAtMs / 1e3,
  );
  text.family('node_cpu_usage_seconds_total', 'counter', 'CPU time used by the node in core-seconds')(
    {},
    usage.cpuUsageCoreNanoSeconds / 1e9,
    nowMs,
  );
  text.family('node_memory_working_set_bytes', 'gauge', 'Working set of the node in bytes')(
    {},
    usage.memoryWorkingSetBytes,
    nowMs,
  );
  const eachPod = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    value: (pod: (typeof pods)[number]) => number,
  ) => {
    const sample = text.family(name, type, help);
    for (const pod of pods) sample({ namespace: pod.namespace, pod: pod.name }, value(pod), pod.whole.timeMs);
  };
  eachPod(
    'pod_cpu_usage_seconds_total',
    'counter',
    'CPU time used by the pod in core-seconds',
    ({ whole }) => whole.cpuNanoSeconds / 1e9,
  );
  eachPod(
    'pod_memory_working_set_bytes',
    'gauge',
    'Working set of the pod in bytes',
    ({ whole }) => whole.memoryWorkingSetBytes,
  );
  text.family('resource_scrape_error', 'gauge', '1 when a figure could not be read, else 0')({}, 0);
  return text.toString();
}
