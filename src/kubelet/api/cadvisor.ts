import type { CgroupUsage } from '../containerd/cgroups/cgroups.ts';
import { deviceName } from '../containerd/cgroups/devices.ts';
import type { LinuxContainerResources } from '../cri/cri.ts';
import type { InterfaceTraffic, Traffic } from '../host/host.ts';
import { podCgroup } from '../pods/resources.ts';
import { Exposition, type Labels } from './exposition.ts';
import type { PageContext } from './page-context.ts';
import { type PodSample, podSamples } from './stats-summary.ts';

/** A group of processes as cAdvisor tells of it: the machine, a pod or a container. */
interface Group {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly cpuNanoSeconds: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly startedAtMs?: number;
  readonly fileBytes?: number;
  readonly limits?: LinuxContainerResources | undefined;
  /** Absent where there are no cgroups. */
  readonly usage?: CgroupUsage | undefined;
  readonly traffic?: readonly InterfaceTraffic[];
}

/** `/metrics/cadvisor`: machine, pods and containers under the names of cAdvisor, which dashboards look for. */
export async function cadvisorMetrics(context: PageContext, signal: AbortSignal): Promise<string> {
  const { machine } = context.parts.host;
  const text = new Exposition();
  const labels = { boot_id: machine.bootId, machine_id: machine.machineId, system_uuid: machine.systemUuid };
  text.family('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.')(labels, machine.cpus);
  text.family('machine_memory_bytes', 'gauge', 'Amount of memory installed.')(labels, machine.memoryBytes);
  const pods = await podSamples(context, signal);
  const groups = [
    await wholeMachine(context, signal),
    ...(await Promise.all(pods.map((pod) => podGroups(context, pod)))),
  ];
  const all = groups.flat();
  writeCpu(text, all);
  writeMemory(text, all);
  writeLimits(text, all);
  await writeDevices(text, all);
  writeTraffic(text, all);
  for (const what of ['container', 'machine'])
    text.family(`${what}_scrape_error`, 'gauge', '1 when a figure could not be read, else 0')({}, 0);
  return text.toString();
}

async function wholeMachine({ parts }: PageContext, signal: AbortSignal): Promise<Group> {
  const { environment, host } = parts;
  const usage = await host.usage(signal);
  return {
    labels: labelsOf({ id: '/' }),
    timeMs: environment.clock.now(),
    cpuNanoSeconds: usage.cpuUsageCoreNanoSeconds,
    memoryUsageBytes: host.machine.memoryBytes - usage.memoryAvailableBytes,
    memoryWorkingSetBytes: usage.memoryWorkingSetBytes,
    usage: await host.cgroups?.usage('/'),
    traffic: (await host.traffic(process.pid)).filter(({ name }) => !name.startsWith('veth')),
  };
}

function labelsOf(known: Labels): Labels {
  return { container: '', id: '', image: '', name: '', namespace: '', pod: '', ...known };
}

/** The pod as a whole, with its network, and each of its containers. */
async function podGroups({ parts, manager }: PageContext, sample: PodSample): Promise<readonly Group[]> {
  const { config, host } = parts;
  const worker = manager.byUid(sample.uid);
  if (worker === undefined) return [];
  const group = podCgroup(worker.pod, config.cgroupRoot);
  const of = { namespace: sample.namespace, pod: sample.name };
  const containers = await Promise.all(
    sample.containers.map(async ({ id, name, startedAtMs, sample: own, stats }): Promise<Group> => {
      const found = worker.runtime.containers.find((container) => container.id === id);
      return {
        ...own,
        labels: labelsOf({ ...of, container: name, id: `${group}/${id}`, image: found?.image ?? '', name: id }),
        startedAtMs,
        fileBytes: stats.writableLayer?.usedBytes?.value ?? 0,
        limits: found?.resources?.linux,
        usage: await host.cgroups?.usage(`${group}/${id}`),
      };
    }),
  );
  const first = sample.containers[0];
  const isOwnNetwork = worker.pod.spec.hostNetwork !== true && first !== undefined;
  const processId = isOwnNetwork ? await host.cgroups?.someProcess(`${group}/${first.id}`) : undefined;
  const whole: Group = {
    ...sample.whole,
    labels: labelsOf({ ...of, id: group }),
    usage: await host.cgroups?.usage(group),
    traffic: processId === undefined ? [] : await host.traffic(processId),
  };
  return [whole, ...containers];
}

type Write = (
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: (group: Group) => number | undefined,
  more?: Labels,
) => void;

/** Writes a family with a sample of each group that has the value. */
function writerOf(text: Exposition, groups: readonly Group[]): Write {
  return (name, type, help, value, more = {}) => {
    const sample = text.family(name, type, help);
    for (const group of groups) {
      const read = value(group);
      if (read !== undefined) sample({ ...group.labels, ...more }, read, group.timeMs);
    }
  };
}

const seconds = (nanoseconds: number | undefined): number | undefined =>
  nanoseconds === undefined ? undefined : nanoseconds / 1e9;

function writeCpu(text: Exposition, groups: readonly Group[]): void {
  const write = writerOf(text, groups);
  const total = ({ cpuNanoSeconds }: Group): number => cpuNanoSeconds / 1e9;
  write('container_cpu_usage_seconds_total', 'counter', 'CPU time used in seconds.', total, { cpu: 'total' });
  const user = ({ usage }: Group) => seconds(usage?.cpuUserNanoseconds);
  write('container_cpu_user_seconds_total', 'counter', 'Of that, in programs.', user);
  const system = ({ usage }: Group) => seconds(usage?.cpuSystemNanoseconds);
  write('container_cpu_system_seconds_total', 'counter', 'Of that, in the kernel.', system);
  // As cAdvisor: only of who has a limit.
  const limited = ({ usage }: Group) => (usage !== undefined && usage.cpuPeriods > 0 ? usage : undefined);
  const periods = (group: Group) => limited(group)?.cpuPeriods;
  write('container_cpu_cfs_periods_total', 'counter', 'Periods in which a CPU limit was enforced.', periods);
  const throttled = (group: Group) => limited(group)?.cpuThrottledPeriods;
  write('container_cpu_cfs_throttled_periods_total', 'counter', 'Of those, in which it was reached.', throttled);
  const waited = (group: Group) => seconds(limited(group)?.cpuThrottledNanoseconds);
  write('container_cpu_cfs_throttled_seconds_total', 'counter', 'Seconds that were waited for the next one.', waited);
}

function writeMemory(text: Exposition, groups: readonly Group[]): void {
  const write = writerOf(text, groups);
  const gauge = (name: string, help: string, value: (group: Group) => number | undefined): void =>
    write(`container_${name}`, 'gauge', help, value);
  gauge('memory_usage_bytes', 'Current memory usage in bytes.', ({ memoryUsageBytes }) => memoryUsageBytes);
  gauge('memory_working_set_bytes', 'Current working set in bytes.', (group) => group.memoryWorkingSetBytes);
  gauge('memory_rss', 'Anonymous memory in bytes.', ({ usage }) => usage?.memoryResidentBytes);
  gauge('memory_cache', 'Cached files in bytes.', ({ usage }) => usage?.memoryCacheBytes);
  gauge('memory_mapped_file', 'Mapped files in bytes.', ({ usage }) => usage?.memoryMappedBytes);
  gauge('memory_swap', 'Memory that was swapped out, in bytes.', ({ usage }) => usage?.memorySwapBytes);
  gauge('fs_usage_bytes', 'Bytes used by the container on its file system.', ({ fileBytes }) => fileBytes);
  gauge('last_seen', 'When these figures were read, in seconds since the Unix epoch.', ({ timeMs }) =>
    Math.floor(timeMs / 1e3),
  );
  gauge('start_time_seconds', 'Start time in seconds since the Unix epoch.', ({ startedAtMs }) =>
    startedAtMs === undefined ? undefined : startedAtMs / 1e3,
  );
}

function writeLimits(text: Exposition, groups: readonly Group[]): void {
  const write = writerOf(text, groups);
  const limit = (name: string, help: string, value: (limits: LinuxContainerResources) => number | undefined): void =>
    write(`container_spec_${name}`, 'gauge', help, ({ limits }) => limits && value(limits));
  limit('cpu_period', 'Microseconds of a period of the CPU limit.', ({ cpuPeriod }) => cpuPeriod);
  limit('cpu_quota', 'Microseconds of CPU time in each.', ({ cpuQuota = 0 }) => (cpuQuota > 0 ? cpuQuota : undefined));
  limit('cpu_shares', 'Weight of the container when CPU time is short.', ({ cpuShares }) => cpuShares);
  limit('memory_limit_bytes', 'Memory limit, 0 for none.', ({ memoryLimitInBytes = 0 }) => memoryLimitInBytes);
}

async function writeDevices(text: Exposition, groups: readonly Group[]): Promise<void> {
  const families = [
    ['reads_bytes_total', 'Bytes that were read.', 'readBytes'],
    ['reads_total', 'Times that something was read.', 'reads'],
    ['writes_bytes_total', 'Bytes that were written.', 'writtenBytes'],
    ['writes_total', 'Times that something was written.', 'writes'],
  ] as const;
  for (const [name, help, field] of families) {
    const sample = text.family(`container_fs_${name}`, 'counter', help);
    for (const { labels, timeMs, usage } of groups)
      for (const found of usage?.devices ?? [])
        sample({ ...labels, device: await deviceName(found.device) }, found[field], timeMs);
  }
}

function writeTraffic(text: Exposition, groups: readonly Group[]): void {
  const units = {
    bytes: ['bytes', 'Bytes'],
    packets: ['packets', 'Packets'],
    errors: ['errors', 'Errors'],
    dropped: ['packets_dropped', 'Packets that were dropped'],
  } as const;
  const directions = { receive: ['received', 'received'], transmit: ['transmitted', 'sent'] } as const;
  for (const [direction, [which, word]] of Object.entries(directions)) {
    for (const [unit, [part, title]] of Object.entries(units)) {
      const name = `container_network_${direction}_${part}_total`;
      const sample = text.family(name, 'counter', `${title} ${word}.`);
      for (const { labels, timeMs, traffic = [] } of groups)
        for (const found of traffic)
          sample({ ...labels, interface: found.name }, found[which][unit as keyof Traffic], timeMs);
    }
  }
}
