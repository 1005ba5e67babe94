import { keyOf } from '#client/object-key.ts';
import { amountOf, podRequests } from '#kinds/core/pod/requests.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';

/** What a container without a request counts as when nodes are compared: else many empty pods would look like none. */
const assumedCpuMillis = 100;
const assumedMemoryBytes = 200 * 1024 * 1024;

/** Amounts as the scheduler adds them up: cpu in thousandths, the rest in whole units. */
export interface Resources {
  cpu: number;
  memory: number;
  ephemeralStorage: number;
  /** Hugepages and extended resources. */
  readonly others: Map<string, number>;
}

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod with what scheduling needs to know of it worked out once. */
export interface PodInfo {
  readonly pod: Pod;
  readonly key: string;
  readonly uid: string;
  readonly priority: number;
  readonly requests: Readonly<Resources>;
  /** Requests with assumed amounts where a container has none; for scores only. */
  readonly scoredCpu: number;
  readonly scoredMemory: number;
  readonly hostPorts: readonly HostPort[];
  readonly hasRequiredAntiAffinity: boolean;
  readonly hasAffinity: boolean;
}

export function podInfo(pod: Pod): PodInfo {
  const spec = pod.spec ?? { containers: [] };
  const requests = emptyResources();
  for (const [resource, amount] of podRequests(spec)) addAmount(requests, resource, amount);
  const affinity = spec.affinity;
  const required = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return {
    pod,
    key: keyOf(pod),
    uid: pod.metadata.uid ?? '',
    priority: spec.priority ?? 0,
    requests,
    scoredCpu: scored(requests.cpu, spec.containers, 'cpu', assumedCpuMillis, spec.resources?.requests),
    scoredMemory: scored(requests.memory, spec.containers, 'memory', assumedMemoryBytes, spec.resources?.requests),
    hostPorts: hostPortsOf([...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)]),
    hasRequiredAntiAffinity: required.length > 0,
    hasAffinity: affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined,
  };
}

export function emptyResources(): Resources {
  return { cpu: 0, memory: 0, ephemeralStorage: 0, others: new Map() };
}

export function addAmount(resources: Resources, resource: string, amount: number): void {
  if (resource === 'cpu') resources.cpu += amount;
  else if (resource === 'memory') resources.memory += amount;
  else if (resource === 'ephemeral-storage') resources.ephemeralStorage += amount;
  else resources.others.set(resource, (resources.others.get(resource) ?? 0) + amount);
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

function scored(
  requested: number,
  containers: readonly Container[],
  resource: string,
  assumed: number,
  podLevel: Readonly<Record<string, string>> | undefined,
): number {
  if (podLevel?.[resource] !== undefined) return requested;
  const without = containers.filter(({ resources }) => {
    const text = resources?.requests?.[resource];
    return text === undefined || (text !== '0' && amountOf(resource, text) === 0);
  });
  return requested + without.length * assumed;
}

function hostPortsOf(containers: readonly Container[]): readonly HostPort[] {
  return containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [
            {
              ip: hostIP === undefined || hostIP === '' ? anyAddress : hostIP,
              protocol: protocol ?? 'TCP',
              port: hostPort,
            },
          ],
    ),
  );
}

const anyAddress = '0.0.0.0';

/** Whether two host ports cannot be had at once: the same port on the same address, or on all of them. */
export function portsConflict(left: HostPort, right: HostPort): boolean {
  if (left.port !== right.port || left.protocol !== right.protocol) return false;
  return left.ip === right.ip || left.ip === anyAddress || right.ip === anyAddress;
}
