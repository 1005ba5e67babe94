import { createHash } from 'node:crypto';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';

/**
 * Labels and annotations by which the kubelet finds its pods in the runtime again. They are the ones of upstream, so
 * that tools which look at containers understand them.
 */
export const label = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

export const annotation = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStopHandler: 'io.kubernetes.container.preStopHandler',
  podTerminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
  podDeletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
  ports: 'io.kubernetes.container.ports',
} as const;

export function sandboxLabels(pod: Pod): Record<string, string> {
  return {
    ...pod.metadata.labels,
    [label.podName]: pod.metadata.name ?? '',
    [label.podNamespace]: pod.metadata.namespace ?? '',
    [label.podUid]: pod.metadata.uid ?? '',
  };
}

/**
 * A container is replaced when this changes. Like upstream, only the fields count that a running container cannot
 * take over: its name and image.
 */
export function containerHash(container: Pick<Container, 'name' | 'image'>): string {
  return createHash('sha1')
    .update(JSON.stringify([container.name, container.image ?? '']))
    .digest('hex')
    .slice(0, 8);
}

/** `name_namespace(uid)`: how messages of the kubelet name a pod. */
export function podText(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

export function podLogDirectoryName(pod: Pod): string {
  return `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`;
}

/** Ours: `init`, `sidecar` or `app`. A simulated runtime lets init containers end by it. */
export const roleAnnotation = 'proa.dev/container-role';
