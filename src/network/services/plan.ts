import type { Service, ServicePort } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { type DataMap, type PickChain, type Pool, pickChainName, poolOffset } from './rules.ts';

/** What one service needs in the table. */
export interface ServicePlan {
  /** The value of each element; empty for members of sets. */
  readonly elements: ReadonlyMap<ElementId, string>;
  readonly chains: readonly PickChain[];
  /** What UDP flows may still point to after a change: conntrack does not notice that an endpoint is gone. */
  readonly udpFrontends: readonly UdpFrontend[];
  readonly hasAffinity: boolean;
}

/** The map, a blank, and the key as nft writes it. */
export type ElementId = `${DataMap} ${string}`;

export interface UdpFrontend {
  /** Undefined for a node port. */
  readonly address: string | undefined;
  readonly port: number;
  readonly endpoints: readonly string[];
}

/** One address and port that takes a service's connections. */
interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly isLocal: boolean;
}

const defaultAffinitySeconds = 10_800;

export interface PlanOptions {
  readonly nodeName: string;
  /** Addresses that this machine answers itself; no rule may lead away from them. */
  readonly ownAddresses: readonly string[];
}

/** Whether the service is one that this node routes: it has an address, and nobody else was asked to serve it. */
export function isRouted(service: Service): boolean {
  const { type, clusterIP } = service.spec ?? {};
  if (type === 'ExternalName' || clusterIP === undefined || clusterIP === '' || clusterIP === 'None') return false;
  return service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] === undefined;
}

/**
 * The elements that route one service to its endpoints, as kube-proxy would: ready endpoints, or terminating ones that
 * still serve where there is no other (KEP-1669).
 */
export function planService(service: Service, slices: Iterable<EndpointSlice>, options: PlanOptions): ServicePlan {
  const plan = new PlanBuilder();
  if (!isRouted(service)) return plan;
  const all = [...slices].filter((slice) => slice.addressType === 'IPv4');
  plan.hasAffinity = service.spec?.sessionAffinity === 'ClientIP';
  const affinitySeconds = plan.hasAffinity
    ? (service.spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
    : undefined;
  for (const port of service.spec?.ports ?? []) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase();
    const pools = choosePools(all, port, options.nodeName);
    planPort(plan, service, port, { protocol, affinitySeconds, pools, ownAddresses: options.ownAddresses });
  }
  return plan;
}

interface PortContext {
  readonly ownAddresses: readonly string[];
  readonly protocol: string;
  readonly affinitySeconds: number | undefined;
  readonly pools: { readonly everywhere: readonly Endpoint[]; readonly here: readonly Endpoint[] };
}

function planPort(plan: PlanBuilder, service: Service, port: ServicePort, context: PortContext): void {
  const { spec } = service;
  const { everywhere, here } = context.pools;
  const add = (frontend: Omit<Frontend, 'protocol' | 'affinitySeconds'>) => plan.add({ ...context, ...frontend });
  const isInternalLocal = spec?.internalTrafficPolicy === 'Local';
  for (const address of (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter(isIpv4)) {
    if (context.ownAddresses.includes(address)) continue;
    const emptyVerdict = isInternalLocal && everywhere.length > 0 ? 'drop' : 'goto refuse';
    add({ address, port: port.port, pool: 'internal', endpoints: isInternalLocal ? here : everywhere, emptyVerdict });
  }
  const isLocal = spec?.externalTrafficPolicy === 'Local';
  const outside = isLocal
    ? ({ pool: 'local', endpoints: here, emptyVerdict: everywhere.length > 0 ? 'drop' : 'goto refuse' } as const)
    : ({ pool: 'masqueraded', endpoints: everywhere, emptyVerdict: 'goto refuse' } as const);
  const balanced = balancerAddresses(service);
  for (const address of new Set([...(spec?.externalIPs ?? []).filter(isIpv4), ...balanced])) {
    add({ address, port: port.port, ...outside });
    if (isLocal && everywhere.length > 0)
      add({ address, port: port.port, pool: 'shortcut', endpoints: everywhere, emptyVerdict: undefined });
  }
  for (const address of balanced)
    plan.restrict(address, context.protocol, port.port, spec?.loadBalancerSourceRanges ?? []);
  if (port.nodePort !== undefined && port.nodePort > 0) add({ address: undefined, port: port.nodePort, ...outside });
}

/** Addresses at which this node itself answers for the load balancer. */
function balancerAddresses(service: Service): readonly string[] {
  if (service.spec?.type !== 'LoadBalancer') return [];
  return (service.status?.loadBalancer?.ingress ?? [])
    .filter((ingress) => ingress.ipMode !== 'Proxy')
    .map((ingress) => ingress.ip ?? '')
    .filter(isIpv4);
}

function choosePools(slices: readonly EndpointSlice[], port: ServicePort, nodeName: string): PortContext['pools'] {
  const ready = new Map<string, Endpoint>();
  const draining = new Map<string, Endpoint>();
  for (const slice of slices) {
    const match = (slice.ports ?? []).find(
      ({ name, protocol }) => (name ?? '') === (port.name ?? '') && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (match?.port === undefined) continue;
    for (const { addresses, conditions, nodeName: at } of slice.endpoints ?? []) {
      const address = addresses[0];
      if (address === undefined) continue;
      const endpoint = { address, port: match.port, isLocal: at === nodeName };
      const key = `${address}:${match.port}`;
      if (conditions?.ready !== false) ready.set(key, endpoint);
      else if (conditions.serving && conditions.terminating) draining.set(key, endpoint);
    }
  }
  const choose = (wanted: (endpoint: Endpoint) => boolean): readonly Endpoint[] => {
    const chosen = [...ready.values()].filter(wanted);
    const usable = chosen.length > 0 ? chosen : [...draining.values()].filter(wanted);
    // A fixed order: clients with affinity are remembered by the number of their endpoint.
    return usable.sort((left, right) =>
      left.address < right.address ? -1 : left.address > right.address ? 1 : left.port - right.port,
    );
  };
  return { everywhere: choose(() => true), here: choose((endpoint) => endpoint.isLocal) };
}

interface Frontend {
  /** Undefined: a port of every address of the node. */
  readonly address: string | undefined;
  readonly protocol: string;
  readonly port: number;
  readonly pool: Pool;
  readonly endpoints: readonly Endpoint[];
  /** What happens to connections when there are no endpoints. */
  readonly emptyVerdict: 'goto refuse' | 'drop' | undefined;
  readonly affinitySeconds: number | undefined;
}

class PlanBuilder implements ServicePlan {
  readonly elements = new Map<ElementId, string>();
  readonly chains: PickChain[] = [];
  readonly udpFrontends: UdpFrontend[] = [];
  hasAffinity = false;

  add(frontend: Frontend): void {
    const { address, protocol, port, endpoints, pool, affinitySeconds } = frontend;
    const isNodePort = address === undefined;
    const key = isNodePort ? `${protocol} . ${port}` : `${address} . ${protocol} . ${port}`;
    if (protocol === 'udp') {
      this.udpFrontends.push({ address, port, endpoints: endpoints.map((endpoint) => endpoint.address) });
    }
    if (endpoints.length === 0) {
      if (frontend.emptyVerdict !== undefined)
        this.#set(isNodePort ? 'empty_node_ports' : 'empty_services', key, frontend.emptyVerdict);
      return;
    }
    const chain: PickChain = {
      count: endpoints.length,
      pool,
      frontend: isNodePort ? 'nodePort' : 'address',
      affinitySeconds,
    };
    this.chains.push(chain);
    const entrance = isNodePort ? 'node_ports' : pool === 'shortcut' ? 'services_inside' : 'services';
    this.#set(entrance, key, `goto ${pickChainName(chain)}`);
    endpoints.forEach((endpoint, index) => {
      const target = `${endpoint.address} . ${endpoint.port}`;
      this.#set(isNodePort ? 'node_port_endpoints' : 'endpoints', `${key} . ${poolOffset[pool] + index}`, target);
      this.#set('hairpin', `${endpoint.address} . ${endpoint.address}`, '');
    });
  }

  restrict(address: string, protocol: string, port: number, ranges: readonly string[]): void {
    const usable = ranges.map((range) => range.trim()).filter((range) => isIpv4(range.split('/')[0]!));
    if (usable.length === 0) return;
    const key = `${address} . ${protocol} . ${port}`;
    this.#set('restricted', key, '');
    for (const range of usable) this.#set('allowed', `${key} . ${range}`, '');
  }

  #set(map: DataMap, key: string, value: string): void {
    this.elements.set(`${map} ${key}`, value);
  }
}

function isIpv4(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
}
