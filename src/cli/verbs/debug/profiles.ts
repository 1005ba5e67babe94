import type { Container, Pod, PodSpec, SecurityContext } from '#kinds/generated/types/core_v1.ts';
import { CliError } from '../../failures.ts';
import type { DebugFlags } from './debug.ts';

/** How somebody looks into a pod or node: beside its containers, in a copy of it, or in a pod on it. */
export type DebugStyle = 'ephemeral' | 'copy' | 'node';

type Change = (container: Container) => Container;

interface Profile {
  /** What it does to the container that looks around. */
  readonly container: (style: DebugStyle) => readonly Change[];
  /** Whether a pod on a node is in the node's namespaces, and sees its files. */
  readonly usesHost: boolean;
  readonly mountsHost: boolean;
}

const withSecurity =
  (change: (context: SecurityContext) => SecurityContext): Change =>
  (container) => ({ ...container, securityContext: change(container.securityContext ?? {}) });

const withoutSecurity: Change = ({ securityContext: _, ...container }) => container;

const adding = (...capabilities: readonly string[]): Change =>
  withSecurity((context) => {
    const { add = [] } = context.capabilities ?? {};
    const more = capabilities.filter((capability) => !add.includes(capability));
    return { ...context, capabilities: { ...context.capabilities, add: [...add, ...more] } };
  });

const restricted = withSecurity(({ capabilities: _, ...context }) => ({
  ...context,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  allowPrivilegeEscalation: false,
  seccompProfile: { type: 'RuntimeDefault' },
}));

/** KEP-1441 */
const profiles: Readonly<Record<string, Profile>> = {
  legacy: { container: () => [], usesHost: true, mountsHost: true },
  general: {
    container: (style) => [style === 'node' ? withoutSecurity : adding('SYS_PTRACE')],
    usesHost: true,
    mountsHost: true,
  },
  baseline: { container: () => [withoutSecurity], usesHost: false, mountsHost: false },
  restricted: { container: () => [withoutSecurity, restricted], usesHost: false, mountsHost: false },
  netadmin: { container: () => [adding('NET_ADMIN', 'NET_RAW')], usesHost: true, mountsHost: false },
  sysadmin: {
    container: () => [withSecurity((context) => ({ ...context, privileged: true }))],
    usesHost: true,
    mountsHost: true,
  },
};

/** Throws CliError for a profile that nobody knows. */
export function profileNamed(name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined) throw new CliError(`unknown profile: ${name}`);
  return profile;
}

/** The pod with what the profile does to it and to the container that looks around. Throws CliError. */
export function withProfile(pod: Pod, container: string, style: DebugStyle, flags: DebugFlags): Pod {
  const profile = profileNamed(flags.profile);
  const changed = profile.container(style).reduce((each, change) => changeContainer(each, container, change), pod);
  if (style === 'node') return onNode(changed, container, profile);
  if (style === 'ephemeral') return changed;
  return flags.profile === 'legacy' ? without(changed, 'labels') : asCopy(changed, flags);
}

function changeContainer(pod: Pod, name: string, change: Change): Pod {
  const inList = <Item extends { readonly name: string }>(list: readonly Item[]): readonly Item[] =>
    list.map((each) => (each.name === name ? (change(each as never) as never) : each));
  const spec = pod.spec as PodSpec;
  const { ephemeralContainers, initContainers } = spec;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: inList(spec.containers),
      ...(initContainers === undefined ? {} : { initContainers: inList(initContainers) }),
      ...(ephemeralContainers === undefined ? {} : { ephemeralContainers: inList(ephemeralContainers) }),
    },
  };
}

function onNode(pod: Pod, container: string, { usesHost, mountsHost }: Profile): Pod {
  const mounted = mountsHost
    ? changeContainer(pod, container, (each) => ({
        ...each,
        volumeMounts: [...(each.volumeMounts ?? []), { mountPath: '/host', name: 'host-root' }],
      }))
    : pod;
  const spec = mounted.spec as PodSpec;
  return {
    ...mounted,
    spec: {
      ...spec,
      ...(mountsHost ? { volumes: [...(spec.volumes ?? []), { name: 'host-root', hostPath: { path: '/' } }] } : {}),
      ...(usesHost ? { hostNetwork: true, hostPID: true, hostIPC: true } : {}),
    },
  };
}

const without = (pod: Pod, field: 'labels' | 'annotations'): Pod => {
  const { [field]: _, ...metadata } = pod.metadata;
  return { ...pod, metadata };
};

/** A copy is nobody's replica, and is not ended by probes while somebody looks, unless it shall be. */
function asCopy(pod: Pod, flags: DebugFlags): Pod {
  const unlabelled = flags['keep-labels'] ? pod : without(pod, 'labels');
  const bare = flags['keep-annotations'] ? unlabelled : without(unlabelled, 'annotations');
  const { initContainers, ...spec } = bare.spec as PodSpec;
  const containers = spec.containers.map(({ livenessProbe, readinessProbe, startupProbe, ...container }) => ({
    ...container,
    ...(flags['keep-liveness'] && livenessProbe !== undefined ? { livenessProbe } : {}),
    ...(flags['keep-readiness'] && readinessProbe !== undefined ? { readinessProbe } : {}),
    ...(flags['keep-startup'] && startupProbe !== undefined ? { startupProbe } : {}),
  }));
  return {
    ...bare,
    spec: {
      ...spec,
      containers,
      ...(flags['keep-init-containers'] && initContainers !== undefined ? { initContainers } : {}),
      shareProcessNamespace: spec.shareProcessNamespace ?? true,
    },
  };
}
