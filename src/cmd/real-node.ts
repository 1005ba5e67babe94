import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FeatureGates } from '#apiserver/feature-gates.ts';
import { formatIpv4, parseIpRange } from '#apiserver/services/ip-range.ts';
import type { Environment } from '#base/environment.ts';
import type { Client, Identity } from '#client/client.ts';
import { runController } from '#client/controller.ts';
import { createInformers } from '#client/informers.ts';
import { type Containerd, startContainerd, superviseContainerd } from '#kubelet/containerd/daemon/start.ts';
import { linuxHost } from '#kubelet/host/linux-host.ts';
import { createKubelet, type Kubelet } from '#kubelet/kubelet.ts';
import { ensureDnsService } from '#network/dns/service.ts';
import { loadBalancerController } from '#network/load-balancer/controller.ts';
import { startNodeNetwork } from '#network/node-network.ts';
import type { ClusterConfig } from './config.ts';
import type { MachineNames } from './machine-names.ts';

/** Services of type LoadBalancer share the machine's address: they must not take away the way to the machine. */
const sshPort = 22;

export interface RealNode {
  readonly kubelet: Kubelet;
  readonly containerd: Containerd;
  /** Runs the agent, service routing and DNS until the signal aborts; containers and rules stay. */
  run(signal: AbortSignal): Promise<void>;
}

export interface RealNodeOptions {
  readonly config: ClusterConfig;
  readonly environment: Environment;
  /** The machine's address, which is the node's. */
  readonly address: string;
  /** A client for an identity of the node's parts. */
  readonly client: (identity: Identity) => Client;
}

/** The tenth address of the service range is the cluster's DNS, as everywhere. */
export function dnsAddress({ serviceCidr }: Pick<ClusterConfig, 'serviceCidr'>): string {
  return formatIpv4(parseIpRange(serviceCidr).first + 10);
}

/** The first /24 of the pod range belongs to this machine. */
export function realNodePodCidr({ podCidr }: Pick<ClusterConfig, 'podCidr'>): string {
  return `${formatIpv4(parseIpRange(podCidr).first)}/24`;
}

function nodeFolder({ dataDir }: ClusterConfig): string {
  return join(dataDir, 'node');
}

/** This machine as a node: containerd of our own, CNI, nftables, DNS. Needs root on Linux. */
export async function openRealNode(options: RealNodeOptions, signal: AbortSignal): Promise<RealNode> {
  const { config, environment, address } = options;
  const { dataDir, names } = config;
  const { runDir, cgroupRoot } = names;
  const nodeName = hostname().toLowerCase();
  const podCidr = realNodePodCidr(config);
  const gates = new FeatureGates(config.featureGates);
  await mkdir(nodeFolder(config), { recursive: true });
  const [containerd, host] = await Promise.all([
    startContainerd({ dataDir: nodeFolder(config), runDir, podCidr, environment }, signal),
    linuxHost(
      {
        rootDirectory: join(dataDir, 'kubelet'),
        memoryDirectory: join(runDir, 'memory'),
        podLogsDirectory: join(dataDir, 'logs'),
        address,
        clock: environment.clock,
      },
      signal,
    ),
  ]);
  const kubelet = createKubelet({
    nodeName,
    client: options.client({ user: `system:node:${nodeName}`, groups: ['system:nodes'] }),
    cri: containerd.cri,
    streams: containerd.streams,
    imageMounts: containerd.imageMounts,
    host,
    environment,
    isMeasured: true,
    featureEnabled: (gate) => gates.enabled(gate),
    config: {
      podCidr,
      clusterDns: [dnsAddress(config)],
      clusterDomain: config.clusterDomain,
      cgroupRoot,
    },
  });
  return { kubelet, containerd, run: (running) => runNode(options, nodeName, kubelet, running) };
}

/** What the node's network needs to know, and `proa reset` to take it back. */
export function nodeNetworkOf(
  config: Pick<ClusterConfig, 'podCidr' | 'serviceCidr'> & { readonly names: Pick<MachineNames, 'nftablesTable'> },
  address: string,
) {
  return {
    nodeAddress: address,
    podRange: config.podCidr,
    serviceRange: config.serviceCidr,
    dnsAddress: dnsAddress(config),
    table: config.names.nftablesTable,
  };
}

async function runNode(
  options: RealNodeOptions,
  nodeName: string,
  kubelet: Kubelet,
  signal: AbortSignal,
): Promise<void> {
  const { config, environment, address } = options;
  const client = options.client({ user: 'system:kube-proxy', groups: ['system:masters'] });
  const informers = createInformers({ client, environment });
  const { clusterDomain } = config;
  await ensureDnsService(client, dnsAddress(config), signal);
  await Promise.all([
    superviseContainerd({ dataDir: nodeFolder(config), runDir: config.names.runDir, environment }, signal),
    informers.run(signal),
    kubelet.run(signal),
    startNodeNetwork(
      { informers, environment, nodeName, clusterDomain, ...nodeNetworkOf(config, address) },
      signal,
    ).then(({ ended }) => ended),
    runController(
      loadBalancerController({ address, reservedPorts: [config.port, sshPort] }),
      { client, informers, environment },
      signal,
    ),
  ]);
}
