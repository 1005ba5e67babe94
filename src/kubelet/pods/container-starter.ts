import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { ContainerConfig, PodSandboxConfig } from '../cri/cri.ts';
import { pullSecretsOf } from '../images/pull-secrets.ts';
import type { NodeParts } from '../parts.ts';
import { containerConfig } from '../runtime/container-config.ts';
import { ConfigError, containerEnvironment } from '../runtime/environment-variables.ts';
import type { DownwardFacts } from '../runtime/field-reference.ts';
import { latest, type PodRuntime } from '../runtime/pod-runtime.ts';
import { hostnameOf } from '../runtime/sandbox-config.ts';
import { ephemeralContainersOf, fieldPathOf } from './containers.ts';
import { StartError } from './start-error.ts';

export interface StartTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly runtime: PodRuntime;
  readonly sandboxId: string;
  readonly sandboxConfig: PodSandboxConfig;
  readonly podIps: readonly string[];
  /** Counts one up for each attempt. */
  readonly attempt: number;
  /** For calls that are not cut short when the pod changes: a half-made container would be left behind. */
  readonly lasting: AbortSignal;
}

/** Pulls, creates and starts one container and runs its postStart hook. Throws StartError. */
export class ContainerStarter {
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** Returns the id of the running container. */
  async start(target: StartTarget, signal: AbortSignal): Promise<string> {
    const { pod, container, sandboxConfig } = target;
    const { images, starts } = this.#parts;
    const note = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#note(pod, container, type, reason, message);
    const secrets = () => pullSecretsOf(pod, this.#parts);
    const { ref, image } = await images.ensure({ pod, container, secrets, sandboxConfig, note }, signal);
    const config = await this.#config(target, ref, image);
    // Pulls and hooks may take long; only what keeps the machine busy takes a turn.
    const release = await starts.acquire(target.lasting);
    try {
      return await this.#createAndStart(target, config);
    } finally {
      release();
    }
  }

  async #createAndStart(target: StartTarget, config: ContainerConfig): Promise<string> {
    const { pod, container, sandboxConfig, sandboxId } = target;
    const { cri } = this.#parts;
    let id: string;
    try {
      id = await cri.createContainer({ podSandboxId: sandboxId, config, sandboxConfig }, target.lasting);
    } catch (error) {
      throw this.#failed(target, 'CreateContainerError', error);
    }
    this.#note(pod, container, 'Normal', 'Created', 'Container created');
    try {
      await cri.startContainer(id, target.lasting);
    } catch (error) {
      throw this.#failed(target, 'RunContainerError', error);
    }
    this.#note(pod, container, 'Normal', 'Started', 'Container started');
    return id;
  }

  /** Runs the postStart hook. Throws StartError; the caller then stops the container. */
  async postStart(target: StartTarget, containerId: string, signal: AbortSignal): Promise<void> {
    const { container, pod, podIps } = target;
    const handler = container.lifecycle?.postStart;
    if (handler === undefined) return;
    const { hooks, host } = this.#parts;
    const podIp = (pod.spec.hostNetwork ? host.machine.addresses[0] : podIps[0]) ?? '';
    try {
      await hooks.run(handler, { container, containerId, podIp }, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#note(pod, container, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
      this.#parts.environment.log.info('postStart hook failed', { message: String(error) });
      throw new StartError('PostStartHookError', 'PostStartHook failed');
    }
  }

  async #config(
    target: StartTarget,
    imageRef: string,
    image: Parameters<typeof containerConfig>[2]['image'],
  ): Promise<ContainerConfig> {
    const { pod, container, runtime, attempt } = target;
    const { config, host, objects, services, volumes } = this.#parts;
    const facts = this.#facts(target);
    try {
      const environment = await containerEnvironment(pod, container, { objects, services: services(), facts });
      const { hostname, domain } = hostnameOf(pod, config.clusterDomain);
      const mounts = await volumes.mounts(pod, container, { environment, facts, hostname, domain, attempt });
      const targetName = ephemeralContainersOf(pod).find(({ name }) => name === container.name)?.targetContainerName;
      return containerConfig(pod, container, {
        attempt,
        environment,
        mounts,
        imageRef,
        image,
        targetId: targetName === undefined || targetName === '' ? undefined : latest(runtime, targetName)?.id,
        nodeMemoryBytes: host.machine.memoryBytes,
        cgroupVersion: host.cgroups?.version,
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#note(pod, container, 'Warning', 'Failed', `Error: ${error.message}`);
      throw new StartError('CreateContainerConfigError', error.message);
    }
  }

  #facts({ pod, podIps }: StartTarget): DownwardFacts {
    const hostIps = this.#parts.host.machine.addresses;
    return {
      podIps: pod.spec.hostNetwork ? hostIps : podIps,
      hostIps,
      allocatable: this.#parts.allocatable(),
    };
  }

  #failed(target: StartTarget, reason: string, error: unknown): StartError {
    target.lasting.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    this.#note(target.pod, target.container, 'Warning', 'Failed', `Error: ${message}`);
    return new StartError(reason, message);
  }

  #note(pod: Pod, container: Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#parts.note(pod, { type, reason, message, fieldPath: fieldPathOf(pod, container.name) });
  }
}
