import { formatTime } from '#machinery/time.ts';
import type { ContainerStats } from '../cri/cri.ts';
import type { MachineUsage } from '../host/host.ts';
import { podCgroup } from '../pods/resources.ts';
import { label } from '../runtime/names.ts';
import type { PageContext } from './page-context.ts';

/** CPU and memory of one container, pod or node at one moment. */
export interface Sample {
  readonly timeMs: number;
  readonly cpuNanoSeconds: number;
  readonly cpuNanoCores: number | undefined;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
}

export interface PodSample {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly startTime: string | undefined;
  readonly whole: Sample;
  readonly containers: readonly {
    readonly name: string;
    readonly id: string;
    readonly startedAtMs: number;
    readonly sample: Sample;
    readonly stats: ContainerStats;
  }[];
}

/** What the pods of the node use now. */
export async function podSamples({ parts, manager }: PageContext, signal: AbortSignal): Promise<readonly PodSample[]> {
  const { config, cri, environment, host } = parts;
  const stats = await cri.listContainerStats({}, signal);
  const byPod = new Map<string, ContainerStats[]>();
  for (const found of stats) {
    const uid = found.attributes?.labels?.[label.podUid] ?? '';
    byPod.set(uid, [...(byPod.get(uid) ?? []), found]);
  }
  const samples: PodSample[] = [];
  for (const worker of manager.workers) {
    const { pod, runtime, uid } = worker;
    const containers = (byPod.get(uid) ?? []).flatMap((found) => {
      const running = runtime.containers.find(({ id, state }) => id === found.attributes?.id && state === 'running');
      if (running === undefined) return [];
      const { id, name, startedAtMs } = running;
      return [{ id, name, startedAtMs, sample: sampleOf(found, environment.clock.now()), stats: found }];
    });
    if (containers.length === 0) continue;
    const usage = await host.cgroups?.usage(podCgroup(pod, config.cgroupRoot));
    const sum = (value: (sample: Sample) => number) =>
      containers.reduce((total, { sample }) => total + value(sample), 0);
    samples.push({
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
      uid,
      startTime: worker.status.startTime,
      whole: {
        timeMs: environment.clock.now(),
        cpuNanoSeconds: usage?.cpuNanoseconds ?? sum(({ cpuNanoSeconds }) => cpuNanoSeconds),
        cpuNanoCores: sum(({ cpuNanoCores = 0 }) => cpuNanoCores),
        memoryWorkingSetBytes: usage?.memoryWorkingSetBytes ?? sum((sample) => sample.memoryWorkingSetBytes),
        memoryUsageBytes: usage?.memoryBytes ?? sum((sample) => sample.memoryUsageBytes),
      },
      containers,
    });
  }
  return samples;
}

function sampleOf({ cpu, memory }: ContainerStats, nowMs: number): Sample {
  return {
    timeMs: cpu?.timestamp === undefined || cpu.timestamp === 0 ? nowMs : cpu.timestamp / 1e6,
    cpuNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
    cpuNanoCores: cpu?.usageNanoCores?.value,
    memoryWorkingSetBytes: memory?.workingSetBytes?.value ?? 0,
    memoryUsageBytes: memory?.usageBytes?.value ?? memory?.workingSetBytes?.value ?? 0,
  };
}

/** The Summary API (stats/v1alpha1). */
export async function statsSummary(context: PageContext, query: URLSearchParams, signal: AbortSignal): Promise<object> {
  const { environment, host, nodeName } = context.parts;
  const onlyCpuAndMemory = query.get('only_cpu_and_memory') === 'true';
  const [usage, pods] = await Promise.all([host.usage(signal), podSamples(context, signal)]);
  const nowMs = environment.clock.now();
  return {
    node: { nodeName, startTime: formatTime(nowMs), ...nodeUsage(usage, nowMs, onlyCpuAndMemory) },
    pods: pods.map((pod) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      ...(pod.startTime === undefined ? {} : { startTime: pod.startTime }),
      containers: pod.containers.map(({ name, sample, startedAtMs, stats }) => ({
        name,
        startTime: formatTime(startedAtMs),
        ...cpuAndMemory(sample),
        ...(onlyCpuAndMemory
          ? {}
          : {
              rootfs: {
                time: formatTime(nowMs),
                usedBytes: stats.writableLayer?.usedBytes?.value ?? 0,
                inodesUsed: stats.writableLayer?.inodesUsed?.value ?? 0,
              },
            }),
      })),
      ...cpuAndMemory(pod.whole),
    })),
  };
}

function cpuAndMemory({
  cpuNanoCores,
  cpuNanoSeconds,
  memoryUsageBytes,
  memoryWorkingSetBytes,
  timeMs,
}: Sample): object {
  const time = formatTime(timeMs);
  return {
    cpu: {
      time,
      ...(cpuNanoCores === undefined ? {} : { usageNanoCores: cpuNanoCores }),
      usageCoreNanoSeconds: cpuNanoSeconds,
    },
    memory: { time, usageBytes: memoryUsageBytes, workingSetBytes: memoryWorkingSetBytes },
  };
}

function nodeUsage(usage: MachineUsage, nowMs: number, onlyCpuAndMemory: boolean): object {
  const time = formatTime(nowMs);
  const basics = {
    cpu: { time, usageCoreNanoSeconds: Math.round(usage.cpuUsageCoreNanoSeconds) },
    memory: {
      time,
      availableBytes: Math.round(usage.memoryAvailableBytes),
      workingSetBytes: Math.round(usage.memoryWorkingSetBytes),
    },
  };
  if (onlyCpuAndMemory) return basics;
  return {
    ...basics,
    fs: {
      time,
      availableBytes: usage.filesystemAvailableBytes,
      capacityBytes: usage.filesystemCapacityBytes,
      usedBytes: usage.filesystemCapacityBytes - usage.filesystemAvailableBytes,
      inodesFree: usage.filesystemInodesFree,
      inodes: usage.filesystemInodes,
      inodesUsed: usage.filesystemInodes - usage.filesystemInodesFree,
    },
    rlimit: { time, maxpid: usage.maxProcesses, curproc: usage.processes },
  };
}
