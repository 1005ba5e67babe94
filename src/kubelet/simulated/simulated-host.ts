import type { Host, HttpProbeResponse, Machine, NetworkTarget } from '../host/host.ts';
import type { SimulatedCri } from './simulated-cri.ts';

export interface SimulatedHostOptions {
  readonly nodeName: string;
  readonly address: string;
  readonly cri: SimulatedCri;
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

const defaults = { cpus: 32, memoryBytes: 256 * 2 ** 30, ephemeralStorageBytes: 1024 * 2 ** 30 };

/** A machine that is not there: its network reaches simulated pods alone, and it keeps no files. */
export function simulatedHost(options: SimulatedHostOptions): Host {
  const { address, cri, nodeName } = options;
  const memoryBytes = options.memoryBytes ?? defaults.memoryBytes;
  const cpus = options.cpus ?? defaults.cpus;
  const machine: Machine = {
    hostname: nodeName,
    addresses: [address],
    architecture: 'amd64',
    bootId: '',
    kernelVersion: 'simulated',
    machineId: nodeName,
    operatingSystem: 'linux',
    osImage: 'simulated',
    systemUuid: nodeName,
    cpus,
    memoryBytes,
    ephemeralStorageBytes: defaults.ephemeralStorageBytes,
  };
  const refuse = (target: NetworkTarget): never => {
    const place = `${target.host}:${target.port}`;
    throw new Error(`dial tcp ${place}: connect: connection refused`);
  };
  const network = {
    async httpGet(target: NetworkTarget): Promise<HttpProbeResponse> {
      const answer = cri.answers(target.host);
      if (answer === 'refused') refuse(target);
      return answer === 'ready' ? { status: 200, body: 'ok' } : { status: 503, body: 'not ready yet' };
    },
    async tcpConnect(target: NetworkTarget): Promise<void> {
      if (cri.answers(target.host) !== 'ready') refuse(target);
    },
    async grpcHealth(target: NetworkTarget) {
      const answer = cri.answers(target.host);
      if (answer === 'refused') refuse(target);
      return answer === 'ready' ? ('SERVING' as const) : ('NOT_SERVING' as const);
    },
  };
  return {
    machine,
    network,
    storage: undefined,
    cgroups: undefined,
    resolver: async () => ({ servers: [], searches: [], options: [] }),
    usage: async () => ({
      memoryAvailableBytes: memoryBytes,
      memoryWorkingSetBytes: 0,
      cpuUsageCoreNanoSeconds: 0,
      filesystemAvailableBytes: defaults.ephemeralStorageBytes,
      filesystemCapacityBytes: defaults.ephemeralStorageBytes,
      filesystemInodes: 1,
      filesystemInodesFree: 1,
      processes: 1,
      maxProcesses: 0,
    }),
    traffic: async () => [],
    logs: {
      async *read(target) {
        yield new TextEncoder().encode(`simulated container ${target.containerId}: nothing runs here\n`);
      },
      tail: async () => '',
      remove: async () => {},
    },
  };
}
