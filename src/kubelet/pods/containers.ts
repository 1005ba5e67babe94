import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';

export type ContainerRole = 'init' | 'sidecar' | 'app' | 'ephemeral';

/** A sidecar is an init container that keeps running (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function initContainersOf(pod: Pod): readonly Container[] {
  return pod.spec.initContainers ?? [];
}

/** Ephemeral containers as plain containers; the API gives them fewer fields. */
export function ephemeralContainersOf(pod: Pod): readonly (Container & { readonly targetContainerName?: string })[] {
  return pod.spec.ephemeralContainers ?? [];
}

export function roleOf(pod: Pod, name: string): ContainerRole {
  const init = initContainersOf(pod).find((container) => container.name === name);
  if (init !== undefined) return isSidecar(init) ? 'sidecar' : 'init';
  return pod.spec.containers.some((container) => container.name === name) ? 'app' : 'ephemeral';
}

export function findContainer(pod: Pod, name: string): Container | undefined {
  return (
    pod.spec.containers.find((container) => container.name === name) ??
    initContainersOf(pod).find((container) => container.name === name) ??
    ephemeralContainersOf(pod).find((container) => container.name === name)
  );
}

/** The path of a container in its pod, as events name it: `spec.containers{app}`. */
export function fieldPathOf(pod: Pod, name: string): string {
  const role = roleOf(pod, name);
  if (role === 'app') return `spec.containers{${name}}`;
  return role === 'ephemeral' ? `spec.ephemeralContainers{${name}}` : `spec.initContainers{${name}}`;
}

/** Whether a container that ended with `exitCode` runs again, by its own rules or its pod's policy (KEP-5307). */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const { operator, values = [] } = rule.exitCodes ?? { operator: '' };
    const listed = values.includes(exitCode);
    if ((operator === 'In' && listed) || (operator === 'NotIn' && !listed)) return rule.action.startsWith('Restart');
  }
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && exitCode !== 0;
}
