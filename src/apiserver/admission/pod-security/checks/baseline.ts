import type { Container } from '#kinds/generated/types/core_v1.ts';
import {
  type Check,
  type CheckPod,
  exceptFor,
  hasUserNamespace,
  namedContainers,
  namesWhere,
  plural,
  quoted,
  setters,
  sorted,
} from './check.ts';
import { appArmorProfile, seccompAnnotations, seccompProfile, seLinuxOptions } from './profiles.ts';

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const capabilities: CheckPod = ({ containers }) => {
  const added = ({ securityContext }: Container): readonly string[] =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name));
  const bad = namesWhere(containers, (container) => added(container).length > 0);
  if (bad.length === 0) return undefined;
  const names = quoted(sorted(containers.flatMap(added)));
  const detail = `${namedContainers(bad)} must not include ${names} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
};

const hostNamespaces: CheckPod = ({ spec }) => {
  const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name] === true);
  if (shared.length === 0) return undefined;
  return { reason: 'host namespaces', detail: shared.map((name) => `${name}=true`).join(', ') };
};

const hostPathVolumes: CheckPod = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${plural(names.length, 'volume')} ${quoted(names)}` };
};

const hostPorts: CheckPod = ({ containers }) => {
  const used = ({ ports = [] }: Container): readonly string[] =>
    ports.filter(({ hostPort = 0 }) => hostPort !== 0).map(({ hostPort }) => String(hostPort));
  const bad = namesWhere(containers, (container) => used(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(containers.flatMap(used));
  const verb = plural(bad.length, 'uses', 'use');
  const detail = `${namedContainers(bad)} ${verb} ${plural(ports.length, 'hostPort')} ${ports.join(', ')}`;
  return { reason: 'hostPort', detail };
};

/** Probes and hooks that make the kubelet call another host than the pod. */
const hostProbes: CheckPod = ({ containers }) => {
  const called = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): readonly string[] =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
      .flatMap((handler) => [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? ''])
      .filter((host) => host !== '');
  const bad = sorted(namesWhere(containers, (container) => called(container).length > 0));
  if (bad.length === 0) return undefined;
  const hosts = sorted(containers.flatMap(called));
  const verb = plural(bad.length, 'uses', 'use');
  const what = plural(hosts.length, 'probe or lifecycle host');
  return { reason: 'probe or lifecycle host', detail: `${namedContainers(bad)} ${verb} ${what} ${quoted(hosts)}` };
};

const privileged: CheckPod = ({ containers }) => {
  const bad = namesWhere(containers, ({ securityContext }) => securityContext?.privileged === true);
  if (bad.length === 0) return undefined;
  return { reason: 'privileged', detail: `${namedContainers(bad)} must not set securityContext.privileged=true` };
};

export const procMount: CheckPod = ({ containers }) => {
  const unusual = ({ securityContext }: Container): readonly string[] => {
    const type = securityContext?.procMount;
    return type === undefined || type === 'Default' ? [] : [type];
  };
  const bad = namesWhere(containers, (container) => unusual(container).length > 0);
  if (bad.length === 0) return undefined;
  const types = quoted(sorted(containers.flatMap(unusual)));
  return { reason: 'procMount', detail: `${namedContainers(bad)} must not set securityContext.procMount to ${types}` };
};

const firstSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_syncookies',
];
const sysctlsOf1_27 = [...firstSysctls, 'net.ipv4.ip_local_reserved_ports'];
const sysctlsOf1_29 = [
  ...sysctlsOf1_27,
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
];
const sysctlsOf1_32 = [...sysctlsOf1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

function sysctls(safe: readonly string[]): CheckPod {
  return ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.includes(name));
    return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
  };
}

const windowsHostProcess: CheckPod = ({ spec, containers }) => {
  const byPod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const bad = namesWhere(containers, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  if (!byPod && bad.length === 0) return undefined;
  const detail = `${setters(byPod, bad)} must not set securityContext.windowsOptions.hostProcess=true`;
  return { reason: 'hostProcess', detail };
};

const always = (check: CheckPod) => [{ since: 0, check }];

/** Known ways out of the container are closed. */
export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', level: 'baseline', versions: always(appArmorProfile) },
  { id: 'capabilities_baseline', level: 'baseline', versions: always(capabilities) },
  { id: 'hostNamespaces', level: 'baseline', versions: always(hostNamespaces) },
  { id: 'hostPathVolumes', level: 'baseline', versions: always(hostPathVolumes) },
  { id: 'hostPorts', level: 'baseline', versions: always(hostPorts) },
  { id: 'hostProbesAndHostLifecycle', level: 'baseline', versions: [{ since: 34, check: hostProbes }] },
  { id: 'privileged', level: 'baseline', versions: always(privileged) },
  {
    id: 'procMount',
    level: 'baseline',
    versions: [...always(procMount), { since: 35, check: exceptFor(hasUserNamespace, procMount) }],
  },
  {
    id: 'seLinuxOptions',
    level: 'baseline',
    versions: [
      { since: 0, check: seLinuxOptions(['container_t', 'container_init_t', 'container_kvm_t']) },
      {
        since: 31,
        check: seLinuxOptions(['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']),
      },
    ],
  },
  {
    id: 'seccompProfile_baseline',
    level: 'baseline',
    versions: [...always(seccompAnnotations), { since: 19, check: seccompProfile({ required: false }) }],
  },
  {
    id: 'sysctls',
    level: 'baseline',
    versions: [
      { since: 0, check: sysctls(firstSysctls) },
      { since: 27, check: sysctls(sysctlsOf1_27) },
      { since: 29, check: sysctls(sysctlsOf1_29) },
      { since: 32, check: sysctls(sysctlsOf1_32) },
    ],
  },
  { id: 'windowsHostProcess', level: 'baseline', versions: always(windowsHostProcess) },
];
