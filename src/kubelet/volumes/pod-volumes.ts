import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { Mount } from '../cri/cri.ts';
import type { DownwardFacts } from '../runtime/field-reference.ts';

/** What mounts of one container depend on besides the pod. */
export interface MountContext {
  readonly environment: ReadonlyMap<string, string>;
  readonly facts: DownwardFacts;
  readonly hostname: string;
  readonly domain: string | undefined;
  readonly attempt: number;
}

/** The volumes of a node's pods. */
export interface PodVolumes {
  /**
   * Makes every volume of the pod ready, or brings the contents of ready ones up to date. Throws an Error whose
   * message is the one of the FailedMount event.
   */
  prepare(pod: Pod, facts: DownwardFacts, signal: AbortSignal): Promise<void>;
  /** The mounts of a container, with the node's paths. Throws ConfigError. */
  mounts(pod: Pod, container: Container, context: MountContext): Promise<readonly Mount[]>;
  /** What a container wrote to its termination message path; '' when nothing. */
  terminationMessage(mounts: readonly Mount[], path: string): Promise<string>;
  /** Unmounts and deletes everything of a pod. */
  teardown(podUid: string, signal: AbortSignal): Promise<void>;
  /** Pods that still have something here. */
  list(): Promise<readonly string[]>;
}

/** For nodes that run nothing. */
export const noVolumes: PodVolumes = {
  prepare: async () => {},
  mounts: async () => [],
  terminationMessage: async () => '',
  teardown: async () => {},
  list: async () => [],
};
