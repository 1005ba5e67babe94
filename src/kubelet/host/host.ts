import type { Cgroups } from '../containerd/cgroups/cgroups.ts';

/**
 * The machine under a node, as far as the kubelet touches it beside the container runtime. A node that runs nothing
 * has no storage and no cgroups.
 */
export interface Host {
  readonly machine: Machine;
  readonly network: HostNetwork;
  /** Where the node keeps pods' volumes and logs. Absent: nothing is materialised. */
  readonly storage: HostStorage | undefined;
  readonly cgroups: Cgroups | undefined;
  readonly logs: ContainerLogs;
  /** The node's own resolv.conf. */
  resolver(): Promise<Resolver>;
  /** What is left of the resources that node conditions and the summary speak of. */
  usage(signal: AbortSignal): Promise<MachineUsage>;
  /** What went over the network interfaces that a process sees, but for its loopback; none where nothing is real. */
  traffic(processId: number): Promise<readonly InterfaceTraffic[]>;
}

/** Bytes and packets through one network interface since it is there. */
export interface InterfaceTraffic {
  readonly name: string;
  readonly received: Traffic;
  readonly transmitted: Traffic;
}

export interface Traffic {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}

export interface Resolver {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** Facts that do not change while the node agent runs. */
export interface Machine {
  readonly hostname: string;
  /** In the order in which the node reports them; the first is the node's own. */
  readonly addresses: readonly string[];
  readonly architecture: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly machineId: string;
  readonly operatingSystem: string;
  readonly osImage: string;
  readonly systemUuid: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
}

export interface MachineUsage {
  readonly memoryAvailableBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly cpuUsageCoreNanoSeconds: number;
  readonly filesystemAvailableBytes: number;
  readonly filesystemCapacityBytes: number;
  readonly filesystemInodes: number;
  readonly filesystemInodesFree: number;
  readonly processes: number;
  readonly maxProcesses: number;
}

/** What probes and lifecycle hooks send into the pod network. Every method rejects when `timeoutMs` passes. */
export interface HostNetwork {
  httpGet(request: HttpProbeRequest, signal: AbortSignal): Promise<HttpProbeResponse>;
  /** Resolves when a connection was accepted. */
  tcpConnect(target: NetworkTarget, signal: AbortSignal): Promise<void>;
  /** Asks grpc.health.v1.Health/Check. */
  grpcHealth(target: NetworkTarget & { readonly service: string }, signal: AbortSignal): Promise<GrpcHealth>;
}

export interface NetworkTarget {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

export interface HttpProbeRequest extends NetworkTarget {
  readonly scheme: 'http' | 'https';
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface HttpProbeResponse {
  readonly status: number;
  /** At most the first 10 KiB. */
  readonly body: string;
}

export type GrpcHealth = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN' | 'UNKNOWN';

export interface HostStorage {
  /** Pods' directories are below it: `pods/<uid>/volumes/kubernetes.io~<plugin>/<volume>`. */
  readonly rootDirectory: string;
  /** On a file system in memory: secrets and tokens are kept here and never reach a disk. */
  readonly memoryDirectory: string;
  /** Container logs: `<namespace>_<name>_<uid>/<container>/<attempt>.log`. */
  readonly podLogsDirectory: string;
  readonly mounts: HostMounts;
}

export interface HostMounts {
  mountTmpfs(
    directory: string,
    options: { readonly sizeBytes?: number | undefined },
    signal: AbortSignal,
  ): Promise<void>;
  /** Unmounts everything at and below a directory. What is not mounted is no error. */
  unmountAll(directory: string, signal: AbortSignal): Promise<void>;
  isMounted(directory: string): Promise<boolean>;
}

/** Output of one container attempt. */
export interface ContainerLogTarget {
  readonly containerId: string;
  readonly path: string;
  /** Whether more output may come: asked again and again while following. */
  readonly isRunning: () => boolean;
}

export interface ContainerLogs {
  read(target: ContainerLogTarget, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Removes the log and its rotated parts. What is not there is no error. */
  remove(path: string): Promise<void>;
  /** The last part of the output, for a termination message. */
  tail(path: string, limits: { readonly lines: number; readonly bytes: number }): Promise<string>;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Wall-clock milliseconds. */
  readonly sinceMs: number | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly stream: 'all' | 'stdout' | 'stderr';
}
