import type * as messages from './generated/messages.ts';

/**
 * The container runtime as the kubelet sees it: CRI v1, one method per call. Messages are the ones of the interface
 * with camelCase names; where an answer is a single thing, the method returns just that. Every method throws CriError
 * for a failure the runtime answered, and the signal's reason when `signal` aborts.
 *
 * Stopping and removing are idempotent: what is gone already is no error.
 */
export interface Cri {
  version(signal: AbortSignal): Promise<messages.VersionResponse>;
  status(request: messages.StatusRequest, signal: AbortSignal): Promise<messages.StatusResponse>;
  updateRuntimeConfig(request: messages.UpdateRuntimeConfigRequest, signal: AbortSignal): Promise<void>;

  /** Returns the sandbox's id once its network is up. */
  runPodSandbox(request: messages.RunPodSandboxRequest, signal: AbortSignal): Promise<string>;
  /** Kills what still runs in the sandbox and takes its network down. */
  stopPodSandbox(sandboxId: string, signal: AbortSignal): Promise<void>;
  /** Removes the sandbox and all containers in it. */
  removePodSandbox(sandboxId: string, signal: AbortSignal): Promise<void>;
  podSandboxStatus(
    request: messages.PodSandboxStatusRequest,
    signal: AbortSignal,
  ): Promise<messages.PodSandboxStatusResponse>;
  listPodSandbox(filter: messages.PodSandboxFilter, signal: AbortSignal): Promise<readonly messages.PodSandbox[]>;

  /** Returns the container's id. */
  createContainer(request: messages.CreateContainerRequest, signal: AbortSignal): Promise<string>;
  startContainer(containerId: string, signal: AbortSignal): Promise<void>;
  /** Sends the stop signal, and KILL after `timeoutSeconds`. Resolves when the container has ended. */
  stopContainer(containerId: string, timeoutSeconds: number, signal: AbortSignal): Promise<void>;
  removeContainer(containerId: string, signal: AbortSignal): Promise<void>;
  containerStatus(
    request: messages.ContainerStatusRequest,
    signal: AbortSignal,
  ): Promise<messages.ContainerStatusResponse>;
  listContainers(filter: messages.ContainerFilter, signal: AbortSignal): Promise<readonly messages.Container[]>;
  updateContainerResources(request: messages.UpdateContainerResourcesRequest, signal: AbortSignal): Promise<void>;
  reopenContainerLog(containerId: string, signal: AbortSignal): Promise<void>;

  /** Runs a command to its end. `timeout` in seconds, 0 for none; past it throws CriError `DeadlineExceeded`. */
  execSync(request: messages.ExecSyncRequest, signal: AbortSignal): Promise<messages.ExecSyncResponse>;
  /** These three answer the address of a streaming server that takes the session. */
  exec(request: messages.ExecRequest, signal: AbortSignal): Promise<string>;
  attach(request: messages.AttachRequest, signal: AbortSignal): Promise<string>;
  portForward(request: messages.PortForwardRequest, signal: AbortSignal): Promise<string>;

  containerStats(containerId: string, signal: AbortSignal): Promise<messages.ContainerStats>;
  listContainerStats(
    filter: messages.ContainerStatsFilter,
    signal: AbortSignal,
  ): Promise<readonly messages.ContainerStats[]>;
  podSandboxStats(sandboxId: string, signal: AbortSignal): Promise<messages.PodSandboxStats>;
  listPodSandboxStats(
    filter: messages.PodSandboxStatsFilter,
    signal: AbortSignal,
  ): Promise<readonly messages.PodSandboxStats[]>;

  listImages(filter: messages.ImageFilter, signal: AbortSignal): Promise<readonly messages.Image[]>;
  /** Undefined when the image is not there. */
  imageStatus(image: messages.ImageSpec, signal: AbortSignal): Promise<messages.Image | undefined>;
  /** Returns the reference by which the runtime knows the pulled image. */
  pullImage(request: messages.PullImageRequest, signal: AbortSignal): Promise<string>;
  removeImage(image: messages.ImageSpec, signal: AbortSignal): Promise<void>;
  imageFsInfo(signal: AbortSignal): Promise<messages.ImageFsInfoResponse>;

  /**
   * What happens to containers and sandboxes from the moment the iteration starts. Events may be lost when the
   * runtime restarts: the iteration then ends or throws, and the caller lists anew and asks again.
   */
  events(signal: AbortSignal): AsyncIterable<CriEvent>;
}

/** `id` names a container or a sandbox. Without an exit code the caller asks for the status. */
export type CriEvent =
  | { readonly type: 'started'; readonly id: string }
  | { readonly type: 'exited'; readonly id: string; readonly exitCode?: number }
  | { readonly type: 'oom'; readonly id: string }
  /** The runtime can be reached again, or events were dropped: list everything. */
  | { readonly type: 'relist' };

/** The gRPC codes by which the kubelet decides something; all others are 'Unknown'. */
export type CriErrorCode =
  | 'Unknown'
  | 'InvalidArgument'
  | 'DeadlineExceeded'
  | 'NotFound'
  | 'AlreadyExists'
  | 'PermissionDenied'
  | 'ResourceExhausted'
  | 'FailedPrecondition'
  | 'Unimplemented'
  | 'Internal'
  | 'Unavailable'
  | 'Unauthenticated';

/** A failure that the runtime answered, or that it could not be reached (`Unavailable`). */
export class CriError extends Error {
  readonly code: CriErrorCode;

  /** @param message the runtime's own words, as users see them in events. */
  constructor(code: CriErrorCode, message: string) {
    super(message);
    this.name = 'CriError';
    this.code = code;
  }
}

export type * from './generated/messages.ts';
