import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import type { Taint } from '#kinds/generated/types/core_v1.ts';
import type { Cri } from './cri/cri.ts';
import type { CriStreams } from './cri/streams.ts';
import type { Host } from './host/host.ts';
import type { ImageMounts } from './volumes/image-volumes.ts';

/** Settings of a node agent, with upstream's KubeletConfiguration names where there is one. */
export interface KubeletConfig {
  readonly maxPods: number;
  /** The range pods get their addresses from; reported to the runtime, which may wait for it. */
  readonly podCidr: string | undefined;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** The root of pods' cgroups, for example `/kubepods`. */
  readonly cgroupRoot: string;
  /** How often the node looks whether its status has changed. */
  readonly nodeStatusUpdateMs: number;
  /** How often it reports a status that has not. */
  readonly nodeStatusReportMs: number;
  readonly leaseDurationSeconds: number;
  readonly leaseRenewMs: number;
  /** How often volumes and the like are brought up to date without any event. */
  readonly syncMs: number;
  /** How often the runtime is listed, for events that were lost. */
  readonly relistMs: number;
  readonly maxConcurrentStarts: number;
  readonly maxConcurrentExecProbes: number;
  readonly maxConcurrentPulls: number;
  readonly restartBackoff: { readonly initialMs: number; readonly maxMs: number };
  readonly imageBackoff: { readonly initialMs: number; readonly maxMs: number };
  readonly containerLogMaxBytes: number;
  readonly containerLogMaxFiles: number;
  readonly imageGcHighPercent: number;
  readonly imageGcLowPercent: number;
  readonly imageMinimumAgeMs: number;
  readonly garbageCollectionMs: number;
  /** Held back from pods: `cpu`, `memory`, `ephemeral-storage` quantities. */
  readonly reserved: Readonly<Record<string, string>>;
  /** Nodes that run nothing say only what went wrong: routine events would be most of a simulation's writes. */
  readonly recordRoutineEvents: boolean;
  /** The port the node's HTTPS endpoint is reported at; 0 when it has none. */
  readonly port: number;
  readonly version: string;
}

export const defaultConfig: KubeletConfig = {
  maxPods: 110,
  podCidr: undefined,
  clusterDns: [],
  clusterDomain: 'cluster.local',
  labels: {},
  taints: [],
  cgroupRoot: '/kubepods',
  nodeStatusUpdateMs: 10_000,
  nodeStatusReportMs: 300_000,
  leaseDurationSeconds: 40,
  leaseRenewMs: 10_000,
  syncMs: 60_000,
  relistMs: 300_000,
  maxConcurrentStarts: 5,
  maxConcurrentExecProbes: 4,
  maxConcurrentPulls: 3,
  restartBackoff: { initialMs: 10_000, maxMs: 300_000 },
  imageBackoff: { initialMs: 10_000, maxMs: 300_000 },
  containerLogMaxBytes: 10 * 2 ** 20,
  containerLogMaxFiles: 5,
  imageGcHighPercent: 85,
  imageGcLowPercent: 80,
  imageMinimumAgeMs: 120_000,
  garbageCollectionMs: 60_000,
  reserved: {},
  recordRoutineEvents: true,
  port: 10250,
  version: 'v1.36.0',
};

export interface KubeletOptions {
  readonly nodeName: string;
  readonly client: Client;
  readonly cri: Cri;
  readonly streams: CriStreams;
  readonly host: Host;
  readonly environment: Environment;
  /** Absent where volumes of images are not supported. */
  readonly imageMounts?: ImageMounts;
  readonly config?: Partial<KubeletConfig>;
  /** Counts what it does, for `/metrics`. Simulated nodes, of which there are many, do not. */
  readonly isMeasured?: boolean;
  /** Feature gates; absent: what asks for one is off. */
  readonly featureEnabled?: (gate: string) => boolean;
}
