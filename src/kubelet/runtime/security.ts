import type { Container, Pod, SeccompProfile } from '#kinds/generated/types/core_v1.ts';
import type {
  Image,
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  NamespaceOption,
  SecurityProfile,
} from '../cri/cri.ts';
import { ConfigError } from './environment-variables.ts';
import { podText } from './names.ts';

/** Paths of /proc and /sys that tell too much about the machine, hidden unless `procMount: Unmasked`. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export function sandboxSecurity(pod: Pod, namespaces: NamespaceOption): LinuxSandboxSecurityContext {
  const context = pod.spec.securityContext;
  const isPrivileged = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(
    ({ securityContext }) => securityContext?.privileged,
  );
  return {
    namespaceOptions: namespaces,
    privileged: isPrivileged,
    ...(context?.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
    // A group without a user is refused by the runtime.
    ...(context?.runAsGroup === undefined || context.runAsUser === undefined
      ? {}
      : { runAsGroup: { value: context.runAsGroup } }),
    supplementalGroups: supplementalGroups(pod),
    ...seLinux(context?.seLinuxOptions),
    seccomp: seccomp(context?.seccompProfile) ?? { profileType: 'RuntimeDefault', localhostRef: '' },
  };
}

function supplementalGroups(pod: Pod): readonly number[] {
  const context = pod.spec.securityContext;
  const groups = [...(context?.supplementalGroups ?? [])];
  if (context?.fsGroup !== undefined) groups.push(context.fsGroup);
  return groups;
}

/** Throws ConfigError where `runAsNonRoot` is asked for and cannot be kept. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  namespaces: NamespaceOption,
  image: Image | undefined,
): LinuxContainerSecurityContext {
  const own = container.securityContext;
  const shared = pod.spec.securityContext;
  const runAsUser = own?.runAsUser ?? shared?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup;
  if (own?.runAsNonRoot ?? shared?.runAsNonRoot) verifyNonRoot(pod, container, runAsUser, image);
  const isPrivileged = own?.privileged ?? false;
  const isMasked = !isPrivileged && own?.procMount !== 'Unmasked';
  const capabilities = own?.capabilities;
  const policy = shared?.supplementalGroupsPolicy;
  return {
    namespaceOptions: namespaces,
    privileged: isPrivileged,
    ...(capabilities === undefined
      ? {}
      : { capabilities: { addCapabilities: capabilities.add ?? [], dropCapabilities: capabilities.drop ?? [] } }),
    ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    // The runtime refuses a group without a user, so the image's own user is named.
    ...(runAsUser === undefined && runAsGroup !== undefined ? imageUser(image) : {}),
    supplementalGroups: supplementalGroups(pod),
    ...(policy === 'Strict' ? { supplementalGroupsPolicy: 'Strict' as const } : {}),
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    noNewPrivs: own?.allowPrivilegeEscalation === false && !isPrivileged,
    maskedPaths: isMasked ? maskedPaths : [],
    readonlyPaths: isMasked ? readonlyPaths : [],
    seccomp: seccomp(own?.seccompProfile ?? shared?.seccompProfile) ?? { profileType: 'Unconfined', localhostRef: '' },
    ...seLinux(own?.seLinuxOptions ?? shared?.seLinuxOptions),
  };
}

function imageUser(image: Image | undefined): Partial<LinuxContainerSecurityContext> {
  if (image?.uid?.value !== undefined) return { runAsUser: { value: image.uid.value } };
  return image?.username ? { runAsUsername: image.username } : { runAsUser: { value: 0 } };
}

function verifyNonRoot(pod: Pod, container: Container, runAsUser: number | undefined, image: Image | undefined): void {
  const where = `(pod: "${podText(pod)}", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  if (image?.username)
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  if ((image?.uid?.value ?? 0) === 0)
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}

function seccomp(profile: SeccompProfile | undefined): SecurityProfile | undefined {
  if (profile === undefined) return undefined;
  if (profile.type === 'Localhost') return { profileType: 'Localhost', localhostRef: profile.localhostProfile ?? '' };
  return { profileType: profile.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined', localhostRef: '' };
}

function seLinux(
  options:
    | { readonly user?: string; readonly role?: string; readonly type?: string; readonly level?: string }
    | undefined,
): { readonly selinuxOptions?: object } {
  return options === undefined ? {} : { selinuxOptions: options };
}
