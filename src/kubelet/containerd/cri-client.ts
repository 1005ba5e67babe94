import type { Clock } from '#base/clock.ts';
import type * as messages from '../cri/cri.ts';
import { type Cri, CriError, type CriEvent } from '../cri/cri.ts';
import { criCalls } from '../cri/generated/table.ts';
import type { GrpcChannel } from './channel.ts';
import { containerdEvents } from './events.ts';
import { decodeMessage, encodeMessage } from './protobuf.ts';

type CallName = (typeof criCalls)['RuntimeService' | 'ImageService'][number];

/** CRI v1 over gRPC, as containerd serves it. */
export function criClient(channel: GrpcChannel, clock: Clock): Cri {
  const call = async <Answer>(name: CallName, request: object, signal: AbortSignal): Promise<Answer> => {
    const service = (criCalls.RuntimeService as readonly string[]).includes(name) ? 'RuntimeService' : 'ImageService';
    const bytes = encodeMessage(`${name}Request`, request);
    return decodeMessage<Answer>(
      `${name}Response`,
      await channel.call(`/runtime.v1.${service}/${name}`, bytes, signal),
    );
  };
  const idempotent = (name: CallName, request: object, signal: AbortSignal): Promise<void> =>
    call<object>(name, request, signal).then(nothing, ignoreNotFound);
  const cri: Cri = {
    version: (signal) => call('Version', { version: 'v1' }, signal),
    status: (request, signal) => call('Status', request, signal),
    updateRuntimeConfig: (request, signal) => call<object>('UpdateRuntimeConfig', request, signal).then(nothing),

    async runPodSandbox(request, signal) {
      return (await call<messages.RunPodSandboxResponse>('RunPodSandbox', request, signal)).podSandboxId;
    },
    stopPodSandbox: (podSandboxId, signal) => idempotent('StopPodSandbox', { podSandboxId }, signal),
    removePodSandbox: (podSandboxId, signal) => idempotent('RemovePodSandbox', { podSandboxId }, signal),
    podSandboxStatus: (request, signal) => call('PodSandboxStatus', request, signal),
    async listPodSandbox(filter, signal) {
      return (await call<messages.ListPodSandboxResponse>('ListPodSandbox', { filter }, signal)).items;
    },

    async createContainer(request, signal) {
      return (await call<messages.CreateContainerResponse>('CreateContainer', request, signal)).containerId;
    },
    startContainer: (containerId, signal) => call<object>('StartContainer', { containerId }, signal).then(nothing),
    stopContainer: (containerId, timeout, signal) => idempotent('StopContainer', { containerId, timeout }, signal),
    removeContainer: (containerId, signal) => idempotent('RemoveContainer', { containerId }, signal),
    containerStatus: (request, signal) => call('ContainerStatus', request, signal),
    async listContainers(filter, signal) {
      return (await call<messages.ListContainersResponse>('ListContainers', { filter }, signal)).containers;
    },
    updateContainerResources: (request, signal) =>
      call<object>('UpdateContainerResources', request, signal).then(nothing),
    reopenContainerLog: (containerId, signal) =>
      call<object>('ReopenContainerLog', { containerId }, signal).then(nothing),

    execSync: (request, signal) => call('ExecSync', request, signal),
    exec: async (request, signal) => (await call<messages.ExecResponse>('Exec', request, signal)).url,
    attach: async (request, signal) => (await call<messages.AttachResponse>('Attach', request, signal)).url,
    async portForward(request, signal) {
      return (await call<messages.PortForwardResponse>('PortForward', request, signal)).url;
    },

    async containerStats(containerId, signal) {
      const answer = await call<messages.ContainerStatsResponse>('ContainerStats', { containerId }, signal);
      return present(answer.stats, containerId);
    },
    async listContainerStats(filter, signal) {
      return (await call<messages.ListContainerStatsResponse>('ListContainerStats', { filter }, signal)).stats;
    },
    async podSandboxStats(podSandboxId, signal) {
      const answer = await call<messages.PodSandboxStatsResponse>('PodSandboxStats', { podSandboxId }, signal);
      return present(answer.stats, podSandboxId);
    },
    async listPodSandboxStats(filter, signal) {
      return (await call<messages.ListPodSandboxStatsResponse>('ListPodSandboxStats', { filter }, signal)).stats;
    },

    async listImages(filter, signal) {
      return (await call<messages.ListImagesResponse>('ListImages', { filter }, signal)).images;
    },
    async imageStatus(image, signal) {
      return (await call<messages.ImageStatusResponse>('ImageStatus', { image }, signal)).image;
    },
    async pullImage(request, signal) {
      return (await call<messages.PullImageResponse>('PullImage', request, signal)).imageRef;
    },
    removeImage: (image, signal) => idempotent('RemoveImage', { image }, signal),
    imageFsInfo: (signal) => call('ImageFsInfo', {}, signal),

    events: (signal): AsyncIterable<CriEvent> => containerdEvents(channel, cri, clock, signal),
  };
  return cri;
}

function present<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new CriError('NotFound', `no stats for ${id}`);
  return value;
}

function nothing(): void {}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof CriError) || error.code !== 'NotFound') throw error;
}
