import { homedir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { FlagValues } from '#apiserver/flags.ts';
import type { SimulatedBehaviour } from '#kubelet/simulated/behaviour.ts';
import type { MachineNames } from './machine-names.ts';

/** What `proa up` starts. */
export interface ClusterConfig {
  /** State that outlives a restart. */
  readonly dataDir: string;
  /** What the cluster is called outside the data folder. */
  readonly names: MachineNames;
  readonly port: number;
  /** Where the server listens; absent: loopback where there are no real nodes, else everywhere. */
  readonly bindAddress?: string;
  /** Where others reach this server; absent: loopback where there are no real nodes, else the machine's own address. */
  readonly advertiseAddress?: string;
  /** Real nodes on this machine: 0 or 1. */
  readonly nodes: 0 | 1;
  readonly simulatedNodes: number;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly clusterDomain: string;
  readonly featureGates: Readonly<Record<string, boolean>>;
  /** kube-apiserver's flags about who may, audit, encryption and fairness. */
  readonly apiServer?: FlagValues;
  /** How the containers of simulated nodes behave. */
  readonly simulation: Partial<SimulatedBehaviour>;
  /** Absent: the state is in the data folder. */
  readonly etcd?: EtcdConfig;
}

/** An etcd that several servers share, and the files that prove who asks. */
export interface EtcdConfig {
  /** `https://10.0.0.1:2379`, one for each member. */
  readonly servers: readonly string[];
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export const defaultPort = 6443;
export const defaultServiceCidr = '10.96.0.0/16';
export const defaultPodCidr = '10.244.0.0/16';

/** `/var/lib/proa` for root, a folder of the user's own otherwise. */
export function defaultDataDir(): string {
  if (isRoot()) return '/var/lib/proa';
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'proa');
}

/** Containers and nftables need root on Linux. */
export function isRoot(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

/** The machine's first address that others can reach. */
export function machineAddress(): string {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (/^(lo|veth|cni|docker|proa|br-)/.test(name)) continue;
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address;
  }
  return '127.0.0.1';
}
