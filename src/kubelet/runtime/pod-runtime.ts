import type {
  Container,
  ContainerResources,
  ContainerStatus,
  ContainerUser,
  Cri,
  Mount,
  PodSandbox,
} from '../cri/cri.ts';
import { annotation, label } from './names.ts';

/** A pod as the runtime has it: everything the kubelet decides from, and all it knows after a restart. */
export interface PodRuntime {
  /** Newest first. */
  readonly sandboxes: readonly Sandbox[];
  /** Every attempt of every container that still exists, newest first. */
  readonly containers: readonly RuntimeContainer[];
}

export interface Sandbox {
  readonly id: string;
  readonly ready: boolean;
  readonly attempt: number;
  readonly createdAtMs: number;
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

export type RuntimeContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface RuntimeContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly state: RuntimeContainerState;
  readonly restartCount: number;
  readonly hash: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  readonly imageId: string;
  readonly logPath: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly resources: ContainerResources | undefined;
  readonly user: ContainerUser | undefined;
}

export const emptyRuntime: PodRuntime = { sandboxes: [], containers: [] };

/** The newest attempt of a container. */
export function latest(runtime: PodRuntime, name: string): RuntimeContainer | undefined {
  return runtime.containers.find((container) => container.name === name);
}

/** What the runtime holds, by pod uid, from labels and annotations alone. */
export class RuntimeView {
  readonly #cri: Cri;
  /** Statuses do not change while the state stays the same, so each is asked for once per state. */
  readonly #statuses = new Map<string, RuntimeContainer>();
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #podOf = new Map<string, string>();

  constructor(cri: Cri) {
    this.#cri = cri;
  }

  /** The uid of the pod that a container or sandbox belongs to, when it has been seen. */
  podOf(id: string): string | undefined {
    return this.#podOf.get(id);
  }

  /** The first address of a sandbox that has been seen. */
  addressOf(sandboxId: string): string | undefined {
    return this.#sandboxes.get(sandboxId)?.ips[0];
  }

  async inspect(podUid: string, signal: AbortSignal): Promise<PodRuntime> {
    const labelSelector = { [label.podUid]: podUid };
    const [sandboxes, containers] = await Promise.all([
      this.#cri.listPodSandbox({ labelSelector }, signal),
      this.#cri.listContainers({ labelSelector }, signal),
    ]);
    return this.#assemble(podUid, sandboxes, containers, signal);
  }

  /** Everything, by pod uid: for adoption after a start, and to find what was missed. */
  async list(signal: AbortSignal): Promise<ReadonlyMap<string, PodRuntime>> {
    const [sandboxes, containers] = await Promise.all([
      this.#cri.listPodSandbox({}, signal),
      this.#cri.listContainers({}, signal),
    ]);
    const byPod = new Map<string, { sandboxes: PodSandbox[]; containers: Container[] }>();
    const entry = (labels: Readonly<Record<string, string>>) => {
      const uid = labels[label.podUid];
      if (uid === undefined) return undefined;
      const found = byPod.get(uid) ?? { sandboxes: [], containers: [] };
      byPod.set(uid, found);
      return found;
    };
    for (const sandbox of sandboxes) entry(sandbox.labels)?.sandboxes.push(sandbox);
    for (const container of containers) entry(container.labels)?.containers.push(container);
    const pods = new Map<string, PodRuntime>();
    for (const [uid, found] of byPod)
      pods.set(uid, await this.#assemble(uid, found.sandboxes, found.containers, signal));
    return pods;
  }

  forget(runtime: PodRuntime): void {
    for (const { id } of runtime.containers) {
      this.#statuses.delete(id);
      this.#podOf.delete(id);
    }
    for (const { id } of runtime.sandboxes) {
      this.#sandboxes.delete(id);
      this.#podOf.delete(id);
    }
  }

  /** Makes the next inspection ask again: an event may change the reason without changing the state. */
  invalidate(id: string): void {
    this.#statuses.delete(id);
  }

  async #assemble(
    podUid: string,
    sandboxes: readonly PodSandbox[],
    containers: readonly Container[],
    signal: AbortSignal,
  ): Promise<PodRuntime> {
    const found = await Promise.all([
      Promise.all(sandboxes.map((sandbox) => this.#sandbox(podUid, sandbox, signal))),
      Promise.all(containers.map((container) => this.#container(podUid, container, signal))),
    ]);
    const newestFirst = (left: { createdAtMs: number }, right: { createdAtMs: number }) =>
      right.createdAtMs - left.createdAtMs;
    return {
      sandboxes: found[0].filter((sandbox) => sandbox !== undefined).sort(newestFirst),
      containers: found[1]
        .filter((container) => container !== undefined)
        .sort((left, right) => right.restartCount - left.restartCount || newestFirst(left, right)),
    };
  }

  async #sandbox(podUid: string, listed: PodSandbox, signal: AbortSignal): Promise<Sandbox | undefined> {
    const ready = listed.state === 'SANDBOX_READY';
    const known = this.#sandboxes.get(listed.id);
    if (known !== undefined && known.ready === ready) return known;
    this.#podOf.set(listed.id, podUid);
    const { status } = await this.#cri.podSandboxStatus({ podSandboxId: listed.id }, signal).catch(absent);
    if (status === undefined) return undefined;
    const address = status.network?.ip ?? '';
    const ips = address === '' ? [] : [address, ...(status.network?.additionalIps ?? []).map(({ ip }) => ip)];
    const sandbox: Sandbox = {
      id: listed.id,
      ready: status.state === 'SANDBOX_READY',
      attempt: status.metadata?.attempt ?? 0,
      createdAtMs: status.createdAt / 1e6,
      ips,
      hostNetwork: status.linux?.namespaces?.options?.network === 'NODE',
    };
    this.#sandboxes.set(listed.id, sandbox);
    return sandbox;
  }

  async #container(podUid: string, listed: Container, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const known = this.#statuses.get(listed.id);
    if (known !== undefined && known.state === stateOf(listed.state)) return known;
    this.#podOf.set(listed.id, podUid);
    const { status } = await this.#cri.containerStatus({ containerId: listed.id }, signal).catch(absent);
    if (status === undefined) return undefined;
    const container = fromStatus(status, listed.podSandboxId);
    this.#statuses.set(listed.id, container);
    return container;
  }
}

/** Between listing and asking, a container may go. */
function absent(error: unknown): { readonly status?: undefined } {
  if (error instanceof Error && 'code' in error && error.code === 'NotFound') return {};
  throw error;
}

function stateOf(state: ContainerStatus['state']): RuntimeContainerState {
  if (state === 'CONTAINER_RUNNING') return 'running';
  if (state === 'CONTAINER_EXITED') return 'exited';
  return state === 'CONTAINER_CREATED' ? 'created' : 'unknown';
}

function fromStatus(status: ContainerStatus, sandboxId: string): RuntimeContainer {
  return {
    id: status.id,
    sandboxId,
    name: status.labels[label.containerName] ?? status.metadata?.name ?? '',
    state: stateOf(status.state),
    restartCount: Number(status.annotations[annotation.restartCount] ?? status.metadata?.attempt ?? 0),
    hash: status.annotations[annotation.hash] ?? '',
    createdAtMs: status.createdAt / 1e6,
    startedAtMs: status.startedAt / 1e6,
    finishedAtMs: status.finishedAt / 1e6,
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    imageId: status.imageId,
    logPath: status.logPath,
    annotations: status.annotations,
    mounts: status.mounts,
    resources: status.resources,
    user: status.user,
  };
}
