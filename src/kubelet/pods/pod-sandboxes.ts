import { join } from 'node:path';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PodSandboxConfig } from '../cri/cri.ts';
import type { NodeParts } from '../parts.ts';
import { podLogDirectoryName } from '../runtime/names.ts';
import { sandboxConfig } from '../runtime/sandbox-config.ts';
import type { PodActions } from './actions.ts';

export interface ReadySandbox {
  readonly id: string;
  readonly ips: readonly string[];
  readonly config: PodSandboxConfig;
}

/** Makes the sandbox of a pod, or finds the one it has. */
export class PodSandboxes {
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** Rejects when it failed; an event has said why. */
  async ensure(pod: Pod, actions: PodActions, signal: AbortSignal): Promise<ReadySandbox> {
    const { metrics, note } = this.#parts;
    try {
      const config = await this.#config(pod, actions.attempt);
      if (!actions.createSandbox && actions.sandbox !== undefined)
        return { id: actions.sandbox.id, ips: actions.sandbox.ips, config };
      const create = () => this.#create(pod, config, signal);
      const created = await (metrics === undefined ? create() : metrics.startingPod(create));
      return { ...created, config };
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      note(pod, {
        type: 'Warning',
        reason: 'FailedCreatePodSandBox',
        message: `Failed to create pod sandbox: ${message}`,
      });
      throw error;
    }
  }

  async #create(
    pod: Pod,
    config: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly ips: readonly string[] }> {
    const { cri, starts } = this.#parts;
    const release = await starts.acquire(signal);
    try {
      const handler = pod.spec.runtimeClassName;
      const id = await cri.runPodSandbox(
        { config, ...(handler === undefined ? {} : { runtimeHandler: handler }) },
        signal,
      );
      const { status } = await cri.podSandboxStatus({ podSandboxId: id }, signal);
      const first = status?.network?.ip ?? '';
      const more = (status?.network?.additionalIps ?? []).map(({ ip }) => ip);
      return { id, ips: first === '' ? [] : [first, ...more] };
    } finally {
      release();
    }
  }

  async #config(pod: Pod, attempt: number): Promise<PodSandboxConfig> {
    const { config, host, note } = this.#parts;
    const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
    if (config.clusterDns.length === 0 && host.storage !== undefined && policy.startsWith('ClusterFirst'))
      note(pod, {
        type: 'Warning',
        reason: 'MissingClusterDNS',
        message: `pod: "${pod.metadata.name}". kubelet does not have ClusterDNS IP configured and cannot create Pod using "${policy}" policy. Falling back to "Default" policy.`,
      });
    const directory = host.storage?.podLogsDirectory;
    return sandboxConfig(pod, attempt, {
      clusterDns: config.clusterDns,
      clusterDomain: config.clusterDomain,
      resolver: await host.resolver(),
      logDirectory: directory === undefined ? '' : join(directory, podLogDirectoryName(pod)),
      cgroupRoot: host.cgroups === undefined ? undefined : config.cgroupRoot,
    });
  }
}
