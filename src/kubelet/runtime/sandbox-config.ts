import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { DNSConfig, NamespaceOption, PodSandboxConfig, PortMapping } from '../cri/cri.ts';
import type { Resolver } from '../host/host.ts';
import { podAmounts, podCgroup } from '../pods/resources.ts';
import { linuxResources } from './linux-resources.ts';
import { sandboxLabels } from './names.ts';
import { sandboxSecurity } from './security.ts';

export interface SandboxSettings {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly resolver: Resolver;
  readonly logDirectory: string;
  /** Undefined where the node has no cgroups. */
  readonly cgroupRoot: string | undefined;
}

/** The sandbox a pod asks for. Throws an Error with upstream's message when its hostname cannot be. */
export function sandboxConfig(pod: Pod, attempt: number, settings: SandboxSettings): PodSandboxConfig {
  // containerd before 2.0 ignores the request, and the pod would run as the host's root unseen.
  if (pod.spec.hostUsers === false)
    throw new Error('the container runtime does not support user namespaces (spec.hostUsers: false)');
  const ports = pod.spec.hostNetwork ? [] : portMappings(pod);
  const dnsConfig = dnsConfigOf(pod, settings);
  const { hostname } = hostnameOf(pod, settings.clusterDomain);
  const sysctls = Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value]));
  return {
    metadata: {
      name: pod.metadata.name ?? '',
      namespace: pod.metadata.namespace ?? '',
      uid: pod.metadata.uid ?? '',
      attempt,
    },
    // A sandbox on the host's network must not set a hostname.
    hostname: pod.spec.hostNetwork ? '' : hostname,
    logDirectory: settings.logDirectory,
    ...(dnsConfig === undefined ? {} : { dnsConfig }),
    ...(ports.length === 0 ? {} : { portMappings: ports }),
    labels: sandboxLabels(pod),
    annotations: pod.metadata.annotations ?? {},
    linux: {
      ...(settings.cgroupRoot === undefined ? {} : { cgroupParent: podCgroup(pod, settings.cgroupRoot) }),
      securityContext: sandboxSecurity(pod, namespaceOptions(pod)),
      sysctls,
      resources: linuxResources(podAmounts(pod, 'requests'), podAmounts(pod, 'limits')),
    },
  };
}

/** Which namespaces a pod has for itself, shares among its containers or takes from the node. */
export function namespaceOptions(pod: Pod): NamespaceOption {
  return {
    network: pod.spec.hostNetwork ? 'NODE' : 'POD',
    ipc: pod.spec.hostIPC ? 'NODE' : 'POD',
    pid: pod.spec.hostPID ? 'NODE' : pod.spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
  };
}

const maxHostnameLength = 63;
/** The kernel's limit for the name of a host. */
const maxNodenameLength = 64;

/** The name a pod's processes see, and the domain that makes it a DNS name when the pod has a subdomain. */
export function hostnameOf(
  pod: Pod,
  clusterDomain: string,
): { readonly hostname: string; readonly domain: string | undefined } {
  if (pod.spec.hostnameOverride !== undefined && pod.spec.hostnameOverride !== '')
    return { hostname: pod.spec.hostnameOverride, domain: undefined };
  const own = pod.spec.hostname || (pod.metadata.name ?? '');
  const hostname = own.slice(0, maxHostnameLength).replace(/[-.]+$/, '');
  const subdomain = pod.spec.subdomain ?? '';
  const domain = subdomain === '' ? undefined : `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
  if (!pod.spec.setHostnameAsFQDN || domain === undefined) return { hostname, domain };
  const full = `${hostname}.${domain}`;
  if (full.length > maxNodenameLength)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (${maxNodenameLength} characters is the max, ${full.length} characters requested)`,
    );
  return { hostname: full, domain };
}

function portMappings(pod: Pod): readonly PortMapping[] {
  const protocols = { TCP: 'TCP', UDP: 'UDP', SCTP: 'SCTP' } as const;
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
      .map(({ hostPort = 0, containerPort, hostIP = '', protocol = 'TCP' }) => ({
        protocol: protocols[protocol as keyof typeof protocols] ?? 'TCP',
        hostPort,
        containerPort,
        hostIp: hostIP,
      })),
  );
}

/** Limits of the resolver: more search domains and servers are cut off (upstream's numbers). */
const maxServers = 3;
const maxSearches = 32;

function dnsConfigOf(pod: Pod, settings: SandboxSettings): DNSConfig | undefined {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  const usesCluster =
    settings.clusterDns.length > 0 &&
    (policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork));
  const domain = settings.clusterDomain;
  let servers: readonly string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  if (usesCluster) {
    servers = settings.clusterDns;
    const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
    searches = [...own, ...settings.resolver.searches];
    options = ['ndots:5'];
  } else if (policy !== 'None') {
    servers = settings.resolver.servers;
    searches = settings.resolver.searches;
    options = settings.resolver.options;
  }
  const added = pod.spec.dnsConfig;
  const byName = new Map(options.map((option) => [option.split(':')[0]!, option]));
  for (const { name = '', value } of added?.options ?? [])
    byName.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  return {
    servers: [...new Set([...servers, ...(added?.nameservers ?? [])])].slice(0, maxServers),
    searches: [...new Set([...searches, ...(added?.searches ?? [])])].slice(0, maxSearches),
    options: [...byName.values()],
  };
}
