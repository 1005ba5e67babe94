import type { Timer } from '#base/clock.ts';
import type * as cri from '../cri/cri.ts';
import type { Fate } from './behaviour.ts';

export interface SimulatedSandbox {
  readonly id: string;
  readonly config: cri.PodSandboxConfig;
  readonly createdAtMs: number;
  readonly address: string;
  ready: boolean;
  readonly containers: Map<string, SimulatedContainer>;
}

export interface SimulatedContainer {
  readonly id: string;
  readonly sandbox: SimulatedSandbox;
  readonly config: cri.ContainerConfig;
  readonly createdAtMs: number;
  readonly fate: Fate;
  state: cri.ContainerState;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  resources: cri.LinuxContainerResources | undefined;
  timer: Timer | undefined;
}

export function sandboxStatus(sandbox: SimulatedSandbox): cri.PodSandboxStatus {
  const { config } = sandbox;
  const namespaces = config.linux?.securityContext?.namespaceOptions;
  return {
    id: sandbox.id,
    metadata: config.metadata as cri.PodSandboxMetadata,
    state: sandbox.ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAt: sandbox.createdAtMs * 1e6,
    network: { ip: sandbox.address, additionalIps: [] },
    linux: { namespaces: namespaces === undefined ? {} : { options: namespaces } },
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    runtimeHandler: '',
  };
}

export function containerStatus(container: SimulatedContainer): cri.ContainerStatus {
  const { config } = container;
  const hasExited = container.state === 'CONTAINER_EXITED';
  return {
    id: container.id,
    metadata: config.metadata as cri.ContainerMetadata,
    state: container.state,
    createdAt: container.createdAtMs * 1e6,
    startedAt: container.startedAtMs * 1e6,
    finishedAt: container.finishedAtMs * 1e6,
    exitCode: container.exitCode,
    image: { image: config.image?.userSpecifiedImage ?? '' },
    imageRef: config.image?.image ?? '',
    reason: hasExited ? (container.exitCode === 0 ? 'Completed' : 'Error') : '',
    message: '',
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    mounts: config.mounts ?? [],
    logPath: `${container.sandbox.config.logDirectory ?? ''}/${config.logPath ?? ''}`,
    ...(container.resources === undefined ? {} : { resources: { linux: container.resources } }),
    imageId: config.image?.image ?? '',
    stopSignal: 'RUNTIME_DEFAULT',
  };
}

export function containerStats(container: SimulatedContainer, nowMs: number): cri.ContainerStats {
  const timestamp = nowMs * 1e6;
  // One thousandth of a CPU and a megabyte: little enough to be honest about doing nothing.
  const cpu = (nowMs - container.startedAtMs) * 1e3;
  return {
    attributes: {
      id: container.id,
      metadata: container.config.metadata as cri.ContainerMetadata,
      labels: container.config.labels ?? {},
      annotations: {},
    },
    cpu: { timestamp, usageCoreNanoSeconds: { value: cpu }, usageNanoCores: { value: 1_000_000 } },
    memory: { timestamp, workingSetBytes: { value: 1_048_576 } },
  };
}
