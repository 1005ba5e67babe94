import type { Environment } from '#base/environment.ts';
import type { Informers } from '#client/informers.ts';
import { startClusterDns } from './dns/cluster-dns.ts';
import { hostResolvers } from './dns/forwarder.ts';
import { type HostNetwork, prepareHost, restoreHost } from './services/host.ts';
import { removeServiceTable } from './services/kernel.ts';
import { runServiceRouting } from './services/routing.ts';

export interface NodeNetworkOptions {
  readonly informers: Informers;
  readonly environment: Environment;
  readonly nodeName: string;
  /** The machine's address. */
  readonly nodeAddress: string;
  /** Addresses of all pods of the cluster, for example `10.244.0.0/16`. */
  readonly podRange: string;
  /** Addresses of services, for example `10.96.0.0/12`. */
  readonly serviceRange: string;
  /** Where the cluster's DNS answers, within the service range. */
  readonly dnsAddress: string;
  /** For example `cluster.local`. */
  readonly clusterDomain: string;
  /** The nftables table; two clusters on one machine need two. */
  readonly table?: string;
}

const defaultTable = 'proa';

/**
 * A node's network: services and DNS. Needs root. Resolves, once services are routed and names are answered, with the
 * promise of the end, which comes after the signal aborts. The rules stay then: pods go on, and a restart loses no
 * packet. See `removeNodeNetwork`.
 */
export async function startNodeNetwork(
  options: NodeNetworkOptions,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  const host = hostNetwork(options);
  await prepareHost(host, signal);
  const routed = Promise.withResolvers<void>();
  const routing = runServiceRouting(
    { ...options, ...host, table: options.table ?? defaultTable, onSynced: routed.resolve },
    signal,
  );
  const resolvers = await hostResolvers(host.ownAddresses);
  const dns = await startClusterDns({ ...options, address: options.dnsAddress, resolvers }, signal);
  await Promise.race([routed.promise, routing]);
  return { ended: Promise.all([routing, dns.ended]).then(() => {}) };
}

/** Takes everything out of the kernel that `startNodeNetwork` put there. */
export async function removeNodeNetwork(
  options: Pick<NodeNetworkOptions, 'nodeAddress' | 'podRange' | 'serviceRange' | 'dnsAddress' | 'table'>,
  signal: AbortSignal,
): Promise<void> {
  await removeServiceTable(options.table ?? defaultTable, signal);
  await restoreHost(hostNetwork(options), signal);
}

function hostNetwork(
  options: Pick<NodeNetworkOptions, 'nodeAddress' | 'podRange' | 'serviceRange' | 'dnsAddress'>,
): HostNetwork {
  return {
    podRanges: [options.podRange],
    serviceRanges: [options.serviceRange],
    ownAddresses: [options.dnsAddress],
    nodeAddress: options.nodeAddress,
  };
}
