import type { Node, NodeAddress, NodeCondition, NodeStatus } from '#kinds/generated/types/core_v1.ts';
import { formatQuantity, quantity, quantityOf, subtractQuantities } from '#machinery/quantity.ts';
import { formatTime } from '#machinery/time.ts';
import type { KubeletConfig } from '../config.ts';
import type { Image } from '../cri/cri.ts';
import type { Host, MachineUsage } from '../host/host.ts';

/** How many images a node reports, the largest first. */
const maxReportedImages = 50;
const maxNamesPerImage = 5;

export interface NodeFacts {
  readonly nodeName: string;
  readonly host: Host;
  readonly config: KubeletConfig;
  readonly runtimeVersion: string;
  readonly runtimeName: string;
  readonly images: readonly Image[];
  readonly usage: MachineUsage | undefined;
  /** '' when the runtime and its network are ready, else what is wrong. */
  readonly problem: string;
  readonly nowMs: number;
}

/** The node as it registers itself. */
export function nodeObject(facts: NodeFacts): Node {
  const { config, nodeName } = facts;
  return {
    metadata: { name: nodeName, labels: nodeLabels(facts), annotations: {} },
    spec: {
      ...(config.podCidr === undefined ? {} : { podCIDR: config.podCidr, podCIDRs: [config.podCidr] }),
      ...(config.taints.length === 0 ? {} : { taints: config.taints }),
    },
    status: nodeStatus(facts, undefined),
  };
}

export function nodeLabels({ config, host, nodeName }: NodeFacts): Readonly<Record<string, string>> {
  const { architecture, operatingSystem } = host.machine;
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': operatingSystem,
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': operatingSystem,
    ...config.labels,
  };
}

/** What the node reports of itself; conditions keep their transition times from `previous`. */
export function nodeStatus(facts: NodeFacts, previous: NodeStatus | undefined): NodeStatus {
  const { config, host } = facts;
  const capacity = capacityOf(facts);
  return {
    capacity,
    allocatable: allocatableOf(capacity, config.reserved),
    conditions: conditionsOf(facts, previous?.conditions ?? []),
    addresses: addressesOf(facts),
    ...(config.port === 0 ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: config.port } } }),
    nodeInfo: {
      machineID: host.machine.machineId,
      systemUUID: host.machine.systemUuid,
      bootID: host.machine.bootId,
      kernelVersion: host.machine.kernelVersion,
      osImage: host.machine.osImage,
      containerRuntimeVersion: `${facts.runtimeName}://${facts.runtimeVersion}`,
      kubeletVersion: config.version,
      kubeProxyVersion: '',
      operatingSystem: host.machine.operatingSystem,
      architecture: host.machine.architecture,
    },
    images: facts.images
      .map(({ repoTags, repoDigests, size }) => ({
        names: [...repoDigests, ...repoTags].slice(0, maxNamesPerImage),
        sizeBytes: size,
      }))
      .sort((left, right) => right.sizeBytes - left.sizeBytes)
      .slice(0, maxReportedImages),
    runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: false, userNamespaces: false } }],
  };
}

function capacityOf({ config, host }: NodeFacts): Readonly<Record<string, string>> {
  const { cpus, ephemeralStorageBytes, memoryBytes } = host.machine;
  const kibibytes = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`;
  return {
    cpu: String(cpus),
    'ephemeral-storage': kibibytes(ephemeralStorageBytes),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: kibibytes(memoryBytes),
    pods: String(config.maxPods),
  };
}

function allocatableOf(
  capacity: Readonly<Record<string, string>>,
  reserved: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [name, text] of Object.entries(capacity)) {
    const held = reserved[name];
    const left = held === undefined ? quantity(text) : subtractQuantities(quantity(text), quantity(held));
    result[name] = formatQuantity(left.nanos < 0n ? quantityOf(0) : left);
  }
  return result;
}

function addressesOf({ host, nodeName }: NodeFacts): readonly NodeAddress[] {
  return [
    ...host.machine.addresses.map((address) => ({ type: 'InternalIP', address })),
    { type: 'Hostname', address: host.machine.hostname || nodeName },
  ];
}

/** Below these a node reports pressure (upstream's default eviction thresholds). */
const leastMemoryBytes = 100 * 2 ** 20;
const leastFilesystemShare = 0.1;
const leastInodeShare = 0.05;

function conditionsOf(facts: NodeFacts, previous: readonly NodeCondition[]): readonly NodeCondition[] {
  const { usage, problem, nowMs } = facts;
  const time = formatTime(nowMs);
  const lacksMemory = usage !== undefined && usage.memoryAvailableBytes < leastMemoryBytes;
  const lacksDisk =
    usage !== undefined &&
    usage.filesystemCapacityBytes > 0 &&
    (usage.filesystemAvailableBytes < usage.filesystemCapacityBytes * leastFilesystemShare ||
      usage.filesystemInodesFree < usage.filesystemInodes * leastInodeShare);
  const lacksPids = usage !== undefined && usage.maxProcesses > 0 && usage.processes > usage.maxProcesses * 0.9;
  const pressure = (type: string, present: boolean, reason: string, words: string): NodeCondition => ({
    type,
    status: present ? 'True' : 'False',
    reason: present ? `KubeletHas${reason === 'DiskPressure' ? 'DiskPressure' : reason}` : noPressure[type]!,
    message: present ? `kubelet has ${words}` : noPressureMessage[type]!,
  });
  const conditions: readonly NodeCondition[] = [
    pressure('MemoryPressure', lacksMemory, 'InsufficientMemory', 'insufficient memory available'),
    pressure('DiskPressure', lacksDisk, 'DiskPressure', 'disk pressure'),
    pressure('PIDPressure', lacksPids, 'InsufficientPID', 'insufficient PID available'),
    problem === ''
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problem },
  ];
  const own = conditions.map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const moved = before?.status !== condition.status;
    const lastTransitionTime = moved ? time : (before?.lastTransitionTime ?? time);
    return { ...condition, lastHeartbeatTime: time, lastTransitionTime };
  });
  const others = previous.filter(({ type }) => !own.some((condition) => condition.type === type));
  return [...own, ...others];
}

const noPressure: Readonly<Record<string, string>> = {
  MemoryPressure: 'KubeletHasSufficientMemory',
  DiskPressure: 'KubeletHasNoDiskPressure',
  PIDPressure: 'KubeletHasSufficientPID',
};
const noPressureMessage: Readonly<Record<string, string>> = {
  MemoryPressure: 'kubelet has sufficient memory available',
  DiskPressure: 'kubelet has no disk pressure',
  PIDPressure: 'kubelet has sufficient PID available',
};
