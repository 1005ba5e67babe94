import type { PageContext } from './page-context.ts';
import { podSamples } from './stats-summary.ts';

type Labels = Readonly<Record<string, string>>;

/** Text in the Prometheus exposition format. */
class Exposition {
  #text = '';

  family(
    name: string,
    type: 'counter' | 'gauge',
    help: string,
  ): (labels: Labels, value: number, timeMs?: number) => void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    return (labels, value, timeMs) => {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
      const set = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
      this.#text += `${name}${set} ${value}${timeMs === undefined ? '' : ` ${Math.round(timeMs)}`}\n`;
    };
  }

  toString(): string {
    return this.#text;
  }
}

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

/** `/metrics`: the node agent itself. */
export function kubeletMetrics({ manager, parts }: PageContext): string {
  const text = new Exposition();
  const workers = [...manager.workers];
  text.family(
    'kubelet_node_name',
    'gauge',
    'The name of the node. The value is always 1.',
  )({ node: parts.nodeName }, 1);
  const containers = text.family('kubelet_running_containers', 'gauge', 'Number of containers by their state.');
  for (const state of ['created', 'exited', 'running', 'unknown'] as const) {
    const count = workers.reduce(
      (sum, { runtime }) => sum + runtime.containers.filter((container) => container.state === state).length,
      0,
    );
    containers({ container_state: state }, count);
  }
  const running = workers.filter(({ runtime }) => runtime.sandboxes.some(({ ready }) => ready)).length;
  text.family('kubelet_running_pods', 'gauge', 'Number of pods with a running sandbox.')({}, running);
  text.family('kubelet_desired_pods', 'gauge', 'Number of pods bound to this node.')({ static: '' }, workers.length);
  return text.toString();
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

/** `/metrics/cadvisor`: containers under the names of cAdvisor. */
export async function cadvisorMetrics(context: PageContext, signal: AbortSignal): Promise<string> {
  const text = new Exposition();
  const pods = await podSamples(context, signal);
  const each = perContainer(text, pods, (container, pod) => ({
    container: container.name,
    id: container.id,
    name: container.stats.attributes?.metadata?.name ?? '',
    namespace: pod.namespace,
    pod: pod.name,
  }));
  text.family('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.')({}, context.parts.host.machine.cpus);
  text.family(
    'machine_memory_bytes',
    'gauge',
    'Amount of memory installed.',
  )({}, context.parts.host.machine.memoryBytes);
  each(
    'container_cpu_usage_seconds_total',
    'counter',
    'CPU time used in seconds.',
    ({ sample }) => sample.cpuNanoSeconds / 1e9,
  );
  each(
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set in bytes.',
    ({ sample }) => sample.memoryWorkingSetBytes,
  );
  each(
    'container_memory_usage_bytes',
    'gauge',
    'Current memory usage in bytes.',
    ({ sample }) => sample.memoryUsageBytes,
  );
  each(
    'container_start_time_seconds',
    'gauge',
    'Start time in seconds since the Unix epoch.',
    ({ startedAtMs }) => startedAtMs / 1e3,
  );
  each(
    'container_fs_usage_bytes',
    'gauge',
    'Bytes used by the container on its file system.',
    ({ stats }) => stats.writableLayer?.usedBytes?.value ?? 0,
  );
  return text.toString();
}
