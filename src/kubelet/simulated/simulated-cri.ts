import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { randomSuffix } from '#base/random.ts';
import { Broadcast } from '../broadcast.ts';
import type * as cri from '../cri/cri.ts';
import { type Cri, CriError, type CriEvent } from '../cri/cri.ts';
import { label, roleAnnotation } from '../runtime/names.ts';
import { AddressPool } from './addresses.ts';
import { defaultBehaviour, draw, fateOf, type SimulatedBehaviour, simulationAnnotation } from './behaviour.ts';
import {
  containerStats,
  containerStatus,
  type SimulatedContainer,
  type SimulatedSandbox,
  sandboxStatus,
} from './simulated-records.ts';

export interface SimulatedCriOptions {
  readonly environment: Environment;
  readonly podCidr: string;
  readonly behaviour?: Partial<SimulatedBehaviour>;
}

const maxRememberedImages = 1000;
const simulatedImageBytes = 10_000_000;

/** A container runtime that runs nothing: it keeps the books that containerd would keep, and lets time do the rest. */
export class SimulatedCri implements Cri {
  readonly #environment: Environment;
  readonly #behaviour: SimulatedBehaviour;
  readonly #addresses: AddressPool;
  readonly #sandboxes = new Map<string, SimulatedSandbox>();
  readonly #sandboxesOfPod = new Map<string, Set<SimulatedSandbox>>();
  readonly #byAddress = new Map<string, SimulatedSandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #images = new Map<string, cri.Image>();
  readonly #events = new Broadcast<CriEvent>();

  constructor({ environment, podCidr, behaviour }: SimulatedCriOptions) {
    this.#environment = environment;
    this.#behaviour = { ...defaultBehaviour, ...behaviour };
    this.#addresses = new AddressPool(podCidr);
  }

  async version(): Promise<cri.VersionResponse> {
    return { version: '0.1.0', runtimeName: 'simulated', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' };
  }

  async status(): Promise<cri.StatusResponse> {
    const condition = (type: string) => ({ type, status: true, reason: '', message: '' });
    return {
      status: { conditions: [condition('RuntimeReady'), condition('NetworkReady')] },
      info: {},
      runtimeHandlers: [],
    };
  }

  async updateRuntimeConfig(): Promise<void> {}

  async runPodSandbox(request: cri.RunPodSandboxRequest, signal: AbortSignal): Promise<string> {
    const config = request.config ?? {};
    await this.#pass(draw(this.#behaviour.sandbox, this.#environment.random), signal);
    const onHost = config.linux?.securityContext?.namespaceOptions?.network === 'NODE';
    const address = onHost ? '' : this.#addresses.take();
    if (address === undefined) throw new CriError('Unknown', 'no addresses left in the range of this node');
    const sandbox: SimulatedSandbox = {
      id: this.#newId(),
      config,
      createdAtMs: this.#environment.clock.now(),
      address,
      ready: true,
      containers: new Map(),
    };
    this.#sandboxes.set(sandbox.id, sandbox);
    const uid = config.labels?.[label.podUid] ?? '';
    const ofPod = this.#sandboxesOfPod.get(uid) ?? new Set();
    this.#sandboxesOfPod.set(uid, ofPod.add(sandbox));
    if (address !== '') this.#byAddress.set(address, sandbox);
    return sandbox.id;
  }

  async stopPodSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined || !sandbox.ready) return;
    for (const container of sandbox.containers.values()) this.#end(container, 137);
    sandbox.ready = false;
    if (sandbox.address !== '') {
      this.#byAddress.delete(sandbox.address);
      this.#addresses.free(sandbox.address);
    }
    this.#events.publish({ type: 'exited', id: sandboxId });
  }

  async removePodSandbox(sandboxId: string): Promise<void> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) return;
    await this.stopPodSandbox(sandboxId);
    for (const container of sandbox.containers.values()) this.#containers.delete(container.id);
    this.#sandboxes.delete(sandboxId);
    const uid = sandbox.config.labels?.[label.podUid] ?? '';
    const ofPod = this.#sandboxesOfPod.get(uid);
    ofPod?.delete(sandbox);
    if (ofPod?.size === 0) this.#sandboxesOfPod.delete(uid);
  }

  async podSandboxStatus(request: cri.PodSandboxStatusRequest): Promise<cri.PodSandboxStatusResponse> {
    const sandbox = this.#sandbox(request.podSandboxId ?? '');
    return { status: sandboxStatus(sandbox), info: {}, containersStatuses: [], timestamp: 0 };
  }

  async listPodSandbox(filter: cri.PodSandboxFilter): Promise<readonly cri.PodSandbox[]> {
    const uid = filter.labelSelector?.[label.podUid];
    const candidates = uid === undefined ? this.#sandboxes.values() : (this.#sandboxesOfPod.get(uid) ?? []);
    const found: cri.PodSandbox[] = [];
    for (const sandbox of candidates) {
      if (filter.id !== undefined && filter.id !== sandbox.id) continue;
      const state = sandbox.ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY';
      if (filter.state !== undefined && filter.state.state !== state) continue;
      found.push({
        id: sandbox.id,
        metadata: sandbox.config.metadata as cri.PodSandboxMetadata,
        state,
        createdAt: sandbox.createdAtMs * 1e6,
        labels: sandbox.config.labels ?? {},
        annotations: sandbox.config.annotations ?? {},
        runtimeHandler: '',
      });
    }
    return found;
  }

  async createContainer(request: cri.CreateContainerRequest): Promise<string> {
    const sandbox = this.#sandbox(request.podSandboxId ?? '');
    const config = request.config ?? {};
    const container: SimulatedContainer = {
      id: this.#newId(),
      sandbox,
      config,
      createdAtMs: this.#environment.clock.now(),
      fate: fateOf(
        {
          name: config.metadata?.name ?? '',
          attempt: config.metadata?.attempt ?? 0,
          isInit: config.annotations?.[roleAnnotation] === 'init',
          podAnnotations: sandbox.config.annotations ?? {},
        },
        this.#behaviour,
        this.#environment.random,
      ),
      state: 'CONTAINER_CREATED',
      startedAtMs: 0,
      finishedAtMs: 0,
      exitCode: 0,
      resources: config.linux?.resources,
      timer: undefined,
    };
    sandbox.containers.set(container.id, container);
    this.#containers.set(container.id, container);
    return container.id;
  }

  async startContainer(containerId: string, signal: AbortSignal): Promise<void> {
    const container = this.#container(containerId);
    await this.#pass(container.fate.startMs, signal);
    container.state = 'CONTAINER_RUNNING';
    container.startedAtMs = this.#environment.clock.now();
    const { exitAfterMs, exitCode } = container.fate;
    if (exitAfterMs !== undefined)
      container.timer = this.#environment.clock.schedule(exitAfterMs, () => this.#end(container, exitCode));
    this.#events.publish({ type: 'started', id: containerId });
  }

  async stopContainer(containerId: string, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const container = this.#containers.get(containerId);
    if (container?.state !== 'CONTAINER_RUNNING') return;
    const stopMs = draw(this.#behaviour.stop, this.#environment.random);
    await this.#pass(Math.min(stopMs, timeoutSeconds * 1000), signal);
    this.#end(container, stopMs > timeoutSeconds * 1000 ? 137 : 143);
  }

  async removeContainer(containerId: string): Promise<void> {
    const container = this.#containers.get(containerId);
    if (container === undefined) return;
    this.#end(container, 137);
    container.sandbox.containers.delete(containerId);
    this.#containers.delete(containerId);
  }

  async containerStatus(request: cri.ContainerStatusRequest): Promise<cri.ContainerStatusResponse> {
    return { status: containerStatus(this.#container(request.containerId ?? '')), info: {} };
  }

  async listContainers(filter: cri.ContainerFilter): Promise<readonly cri.Container[]> {
    const uid = filter.labelSelector?.[label.podUid];
    const candidates =
      uid === undefined
        ? this.#containers.values()
        : [...(this.#sandboxesOfPod.get(uid) ?? [])].flatMap((sandbox) => [...sandbox.containers.values()]);
    const found: cri.Container[] = [];
    for (const container of candidates) {
      if (filter.id !== undefined && filter.id !== container.id) continue;
      if (filter.podSandboxId !== undefined && filter.podSandboxId !== container.sandbox.id) continue;
      if (filter.state !== undefined && filter.state.state !== container.state) continue;
      found.push({
        id: container.id,
        podSandboxId: container.sandbox.id,
        metadata: container.config.metadata as cri.ContainerMetadata,
        image: container.config.image ?? {},
        imageRef: container.config.image?.image ?? '',
        state: container.state,
        createdAt: container.createdAtMs * 1e6,
        labels: container.config.labels ?? {},
        annotations: container.config.annotations ?? {},
        imageId: imageIdOf(container.config.image?.image ?? ''),
      });
    }
    return found;
  }

  async updateContainerResources(request: cri.UpdateContainerResourcesRequest, signal: AbortSignal): Promise<void> {
    const container = this.#container(request.containerId ?? '');
    await this.#pass(draw(this.#behaviour.resize, this.#environment.random), signal);
    container.resources = { ...container.resources, ...request.linux };
  }

  async reopenContainerLog(): Promise<void> {}

  /** Succeeds once the container is ready: what exec probes look at. */
  async execSync(request: cri.ExecSyncRequest): Promise<cri.ExecSyncResponse> {
    const ready = this.#isReady(this.#container(request.containerId ?? ''));
    return { stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: ready ? 0 : 1 };
  }

  async exec(request: cri.ExecRequest): Promise<string> {
    this.#container(request.containerId ?? '');
    return 'simulated:exec';
  }

  async attach(request: cri.AttachRequest): Promise<string> {
    this.#container(request.containerId ?? '');
    return 'simulated:attach';
  }

  async portForward(request: cri.PortForwardRequest): Promise<string> {
    this.#sandbox(request.podSandboxId ?? '');
    return 'simulated:portforward';
  }

  async containerStats(containerId: string): Promise<cri.ContainerStats> {
    return containerStats(this.#container(containerId), this.#environment.clock.now());
  }

  async listContainerStats(filter: cri.ContainerStatsFilter): Promise<readonly cri.ContainerStats[]> {
    const uid = filter.labelSelector?.[label.podUid];
    return [...this.#containers.values()]
      .filter((container) => container.state === 'CONTAINER_RUNNING')
      .filter((container) => uid === undefined || container.config.labels?.[label.podUid] === uid)
      .map((container) => containerStats(container, this.#environment.clock.now()));
  }

  async podSandboxStats(): Promise<cri.PodSandboxStats> {
    throw new CriError('Unimplemented', 'a simulated sandbox has no statistics');
  }

  async listPodSandboxStats(): Promise<readonly cri.PodSandboxStats[]> {
    return [];
  }

  async listImages(): Promise<readonly cri.Image[]> {
    return [...this.#images.values()];
  }

  async imageStatus(image: cri.ImageSpec): Promise<cri.Image | undefined> {
    return this.#images.get(image.image ?? '');
  }

  async pullImage(request: cri.PullImageRequest, signal: AbortSignal): Promise<string> {
    await this.#pass(draw(this.#behaviour.pull, this.#environment.random), signal);
    const failure = request.sandboxConfig?.annotations?.[simulationAnnotation.pullError];
    if (failure !== undefined) throw new CriError('NotFound', failure);
    const name = request.image?.image ?? '';
    const id = imageIdOf(name);
    if (this.#images.size >= maxRememberedImages) this.#images.delete(this.#images.keys().next().value ?? '');
    this.#images.set(name, {
      id,
      repoTags: [name],
      repoDigests: [],
      size: simulatedImageBytes,
      username: '',
      spec: { image: name },
      pinned: false,
    });
    return id;
  }

  async removeImage(image: cri.ImageSpec): Promise<void> {
    this.#images.delete(image.image ?? '');
  }

  async imageFsInfo(): Promise<cri.ImageFsInfoResponse> {
    return { imageFilesystems: [], containerFilesystems: [] };
  }

  events(signal: AbortSignal): AsyncIterable<CriEvent> {
    return this.#events.subscribe(signal);
  }

  /** Whether something behind a pod's address would answer a probe now. */
  answers(address: string): 'ready' | 'unready' | 'refused' {
    const sandbox = this.#byAddress.get(address);
    const running = [...(sandbox?.containers.values() ?? [])].filter(({ state }) => state === 'CONTAINER_RUNNING');
    if (running.length === 0) return 'refused';
    return running.every((container) => this.#isReady(container)) ? 'ready' : 'unready';
  }

  /** Ends a running container as if its process had exited: for tests of faults. */
  crash(containerId: string, exitCode: number): void {
    this.#end(this.#container(containerId), exitCode);
  }

  #end(container: SimulatedContainer, exitCode: number): void {
    if (container.state !== 'CONTAINER_RUNNING') return;
    container.timer?.cancel();
    container.timer = undefined;
    container.state = 'CONTAINER_EXITED';
    container.finishedAtMs = this.#environment.clock.now();
    container.exitCode = exitCode;
    this.#events.publish({ type: 'exited', id: container.id, exitCode });
  }

  #isReady(container: SimulatedContainer): boolean {
    return (
      container.state === 'CONTAINER_RUNNING' &&
      this.#environment.clock.now() >= container.startedAtMs + container.fate.readyMs
    );
  }

  async #pass(durationMs: number, signal: AbortSignal): Promise<void> {
    if (durationMs > 0) await sleep(this.#environment.clock, durationMs, signal);
  }

  #newId(): string {
    return randomSuffix(this.#environment.random, 20);
  }

  #sandbox(id: string): SimulatedSandbox {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) throw new CriError('NotFound', `sandbox "${id}" not found`);
    return sandbox;
  }

  #container(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new CriError('NotFound', `container "${id}" not found`);
    return container;
  }
}

function imageIdOf(name: string): string {
  return `simulated/${name}`;
}
