import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import type { EventNote } from '#client/events.ts';
import type { Pod, Service } from '#kinds/generated/types/core_v1.ts';
import type { Backoff } from './backoff.ts';
import type { KubeletConfig } from './config.ts';
import type { Cri } from './cri/cri.ts';
import type { Host } from './host/host.ts';
import type { ImagePuller } from './images/image-puller.ts';
import type { HookRunner } from './lifecycle/hooks.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { ProbeManager } from './probes/probe-manager.ts';
import type { PodObjects } from './runtime/environment-variables.ts';
import type { RuntimeView } from './runtime/pod-runtime.ts';
import type { Semaphore } from './semaphore.ts';
import type { StatusManager } from './status/status-manager.ts';
import type { PodVolumes } from './volumes/pod-volumes.ts';

/** What the pods of one node share. */
export interface NodeParts {
  readonly nodeName: string;
  readonly config: KubeletConfig;
  readonly environment: Environment;
  readonly client: Client;
  readonly cri: Cri;
  /** For example `containerd`. */
  readonly runtimeName: () => string;
  readonly host: Host;
  readonly view: RuntimeView;
  readonly objects: PodObjects;
  readonly services: () => Iterable<Service> | undefined;
  readonly volumes: PodVolumes;
  readonly images: ImagePuller;
  readonly hooks: HookRunner;
  readonly probes: ProbeManager;
  readonly statuses: StatusManager;
  /** Absent on nodes that do not count what they do. */
  readonly metrics: NodeMetrics | undefined;
  readonly restarts: Backoff;
  readonly starts: Semaphore;
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly note: (pod: Pod, note: EventNote) => void;
}
