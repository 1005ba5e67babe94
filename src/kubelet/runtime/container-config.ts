import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { ContainerConfig, Image, Mount } from '../cri/cri.ts';
import { type ContainerRole, roleOf } from '../pods/containers.ts';
import { amountsOf } from '../pods/resources.ts';
import { expand } from './expansion.ts';
import { linuxResources, oomScoreAdjustment } from './linux-resources.ts';
import { annotation, containerHash, label, roleAnnotation } from './names.ts';
import { namespaceOptions } from './sandbox-config.ts';
import { containerSecurity } from './security.ts';

export interface ContainerParts {
  readonly attempt: number;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly imageRef: string;
  readonly image: Image | undefined;
  /** For an ephemeral container: the container whose processes it sees. */
  readonly targetId: string | undefined;
  readonly nodeMemoryBytes: number;
  readonly cgroupVersion: 1 | 2 | undefined;
}

/** The container as the runtime gets it. Throws ConfigError where the security context cannot be kept. */
export function containerConfig(pod: Pod, container: Container, parts: ContainerParts): ContainerConfig {
  const lookup = (name: string) => parts.environment.get(name);
  const role = roleOf(pod, container.name);
  const requests = amountsOf(container.resources?.requests);
  const limits = amountsOf(container.resources?.limits);
  const shared = namespaceOptions(pod);
  const namespaces =
    parts.targetId === undefined ? shared : { ...shared, pid: 'TARGET' as const, targetId: parts.targetId };
  return {
    metadata: { name: container.name, attempt: parts.attempt },
    image: { image: parts.imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map((text) => expand(text, lookup)),
    args: (container.args ?? []).map((text) => expand(text, lookup)),
    workingDir: container.workingDir ?? '',
    envs: [...parts.environment].map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: parts.mounts,
    labels: {
      [label.containerName]: container.name,
      [label.podName]: pod.metadata.name ?? '',
      [label.podNamespace]: pod.metadata.namespace ?? '',
      [label.podUid]: pod.metadata.uid ?? '',
    },
    annotations: annotationsOf(pod, container, role, parts.attempt),
    logPath: `${container.name}/${parts.attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: {
        ...linuxResources(requests, limits),
        oomScoreAdj: oomScoreAdjustment(pod, requests['memory'] ?? 0, parts.nodeMemoryBytes),
        // All of a container's processes die together when it runs out of memory.
        ...(parts.cgroupVersion === 2 ? { unified: { 'memory.oom.group': '1' } } : {}),
      },
      securityContext: containerSecurity(pod, container, namespaces, parts.image),
    },
  };
}

function annotationsOf(pod: Pod, container: Container, role: ContainerRole, attempt: number): Record<string, string> {
  const grace = pod.spec.terminationGracePeriodSeconds;
  return {
    [annotation.hash]: containerHash(container),
    [annotation.restartCount]: String(attempt),
    [annotation.terminationMessagePath]: container.terminationMessagePath ?? '/dev/termination-log',
    [annotation.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
    ...(grace === undefined ? {} : { [annotation.podTerminationGracePeriod]: String(grace) }),
    ...(container.lifecycle?.preStop === undefined
      ? {}
      : { [annotation.preStopHandler]: JSON.stringify(container.lifecycle.preStop) }),
    ...(container.ports === undefined ? {} : { [annotation.ports]: JSON.stringify(container.ports) }),
    [roleAnnotation]: role,
  };
}
