import type { Container, PodSpec } from '#kinds/generated/types/core_v1.ts';

/** A pod, or the template of one. */
export interface PodSubject {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  /** Init containers, containers and ephemeral containers, in this order. */
  readonly containers: readonly Container[];
}

/** What a check objects to. */
export interface Finding {
  /** In short, as in `host namespaces`. */
  readonly reason: string;
  /** In full, as in `hostNetwork=true, hostPID=true`. */
  readonly detail: string;
}

export type CheckPod = (pod: PodSubject) => Finding | undefined;

/** One control of the Pod Security Standards: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export interface Check {
  /** Upstream's identifier: findings are listed in its order. */
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** How it is checked from which minor version on, the oldest first. */
  readonly versions: readonly { readonly since: number; readonly check: CheckPod }[];
  /** The baseline check that this one takes the place of. */
  readonly replaces?: string;
}

export function subjectOf(
  metadata: { readonly annotations?: Readonly<Record<string, string>> } | undefined,
  spec: PodSpec,
): PodSubject {
  const ephemeral = (spec.ephemeralContainers ?? []) as readonly unknown[] as readonly Container[];
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...ephemeral];
  return { annotations: metadata?.annotations ?? {}, spec, containers };
}

/** `"a", "b"` */
export function quoted(items: readonly string[]): string {
  return items.map((item) => `"${item}"`).join(', ');
}

export function sorted(items: Iterable<string>): readonly string[] {
  return [...new Set(items)].sort();
}

export function plural(count: number, singular: string, several = `${singular}s`): string {
  return count === 1 ? singular : several;
}

/** `container "a"`, `containers "a", "b"` */
export function namedContainers(names: readonly string[]): string {
  return `${plural(names.length, 'container')} ${quoted(names)}`;
}

/** Who set something: the pod as a whole, some of its containers, or both. */
export function setters(byPod: boolean, containers: readonly string[]): string {
  return [...(byPod ? ['pod'] : []), ...(containers.length > 0 ? [namedContainers(containers)] : [])].join(' and ');
}

export function namesWhere(containers: readonly Container[], holds: (container: Container) => boolean): string[] {
  return containers.filter(holds).map(({ name }) => name);
}

/** Root in the pod is nobody on the node (KEP-127). */
export function hasUserNamespace({ spec }: PodSubject): boolean {
  return spec.hostUsers === false;
}

export function isWindows({ spec }: PodSubject): boolean {
  return spec.os?.name === 'windows';
}

/** The check, but for pods that it has nothing to say to. */
export function exceptFor(exempt: (pod: PodSubject) => boolean, check: CheckPod): CheckPod {
  return (pod) => (exempt(pod) ? undefined : check(pod));
}
