/**
 * The nftables table that carries services. All that depends on the number of services is data in maps; the chains
 * depend only on how many endpoints a service port has. A change therefore costs what it touches, at 10,000 services
 * as at one.
 *
 * A new connection's way: its address, protocol and port are looked up in `services` (or its protocol and port in
 * `node_ports`), which leads to a `pick` chain; that puts the number of an endpoint into the packet mark and looks up
 * address, protocol, port and mark in `endpoints`. Later packets follow conntrack and see none of this.
 */

/** Bits of the mark above the number of the endpoint. They also tell a port's several pools of endpoints apart. */
export const poolOffset = {
  /** From inside, to the cluster IP. */
  internal: 0,
  /** From outside: the source is replaced by the node, so that answers come back through it. */
  masqueraded: 0x10000,
  /** From outside to endpoints of this node only, which see the client's address (externalTrafficPolicy: Local). */
  local: 0x20000,
  /** From pods and the node itself to a service that is Local for the outside: all endpoints. */
  shortcut: 0x40000,
} as const;

export type Pool = keyof typeof poolOffset;

/** Maps and sets whose elements come from services. */
export const dataMaps = {
  services: 'type ipv4_addr . inet_proto . inet_service : verdict',
  services_inside: 'type ipv4_addr . inet_proto . inet_service : verdict',
  endpoints: 'type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service',
  node_ports: 'type inet_proto . inet_service : verdict',
  node_port_endpoints: 'type inet_proto . inet_service . mark : ipv4_addr . inet_service',
  /** Service ports without a usable endpoint: `goto refuse` or `drop`. */
  empty_services: 'type ipv4_addr . inet_proto . inet_service : verdict',
  empty_node_ports: 'type inet_proto . inet_service : verdict',
  /** Endpoints with themselves: a pod that reaches itself through a service must see another source. */
  hairpin: 'type ipv4_addr . ipv4_addr',
  /** Load-balancer addresses with source ranges, and the ranges. */
  restricted: 'type ipv4_addr . inet_proto . inet_service',
  allowed: 'type ipv4_addr . inet_proto . inet_service . ipv4_addr; flags interval',
} as const;

export type DataMap = keyof typeof dataMaps;

export interface TableOptions {
  /** The table's name; nothing outside it is ever touched. */
  readonly table: string;
  /** Addresses of all pods of the cluster. */
  readonly podRanges: readonly string[];
  /** Addresses that services may have. What no service owns of them is rejected and never leaves the machine. */
  readonly serviceRanges: readonly string[];
  /** Addresses within the service ranges that this machine itself answers: the cluster's DNS. */
  readonly ownAddresses: readonly string[];
}

/** Clients with affinity that are remembered at a time. */
const maxAffinities = 65_536;

/** The whole table without the elements that come from services, replacing what there is in one transaction. */
export function renderTable(options: TableOptions, version: string): string {
  const { table } = options;
  const maps = Object.entries(dataMaps).map(
    ([name, type]) => `  ${type.includes(' : ') ? 'map' : 'set'} ${name} { ${type}; }`,
  );
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  set pods { type ipv4_addr; flags interval; ${elements(options.podRanges)} }
  set service_ranges { type ipv4_addr; flags interval; ${elements(options.serviceRanges)} }
  set own_addresses { type ipv4_addr; ${elements(options.ownAddresses)} }
${maps.join('\n')}
  map affinity {
    type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark
    size ${maxAffinities}
    flags dynamic,timeout
  }
  chain ${version} {
  }
${translation}
${filtering}
}
`;
}

const destination = 'ip daddr . meta l4proto . th dport';
const toNode = 'ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport';

const translation = `  chain dispatch {
    ${destination} @restricted ${destination} . ip saddr != @allowed drop
    ${destination} vmap @services
    ${toNode} vmap @node_ports
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    ip saddr @pods ${destination} vmap @services_inside
    goto dispatch
  }
  chain output {
    type nat hook output priority -100
    ${destination} vmap @services_inside
    goto dispatch
  }
  chain masquerade_marked {
    meta mark set 0
    masquerade fully-random
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ct status dnat meta mark & ${poolOffset.masqueraded} != 0 goto masquerade_marked
    ct status dnat ct original ip daddr @service_ranges ip saddr != @pods masquerade fully-random
    ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random
    ip saddr @pods ip daddr != @pods masquerade fully-random
  }`;

/** TCP is refused by a reset: the kernel sends only about one ICMP refusal a second to one client. */
const filtering = `  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain guard {
    ${destination} vmap @empty_services
    ${toNode} vmap @empty_node_ports
    ip daddr @service_ranges ip daddr != @own_addresses goto refuse
  }
  chain filter_input {
    type filter hook input priority filter
    ct state new goto guard
  }
  chain filter_forward {
    type filter hook forward priority filter
    ct state invalid ip daddr @pods drop
    ct state invalid ip saddr @pods drop
    ct state new goto guard
  }
  chain filter_output {
    type filter hook output priority filter
    ct state new goto guard
  }`;

function elements(addresses: readonly string[]): string {
  return addresses.length === 0 ? '' : `elements = { ${addresses.join(', ')} };`;
}

/** A chain that chooses among `count` endpoints. */
export interface PickChain {
  readonly count: number;
  readonly pool: Pool;
  readonly frontend: 'address' | 'nodePort';
  /** Seconds for which a client stays with its endpoint (sessionAffinity: ClientIP); undefined for none. */
  readonly affinitySeconds: number | undefined;
}

export function pickChainName({ count, pool, frontend, affinitySeconds }: PickChain): string {
  const keep = affinitySeconds === undefined ? '' : `_keep_${affinitySeconds}`;
  return `pick_${frontend === 'nodePort' ? 'node_' : ''}${pool}_${count}${keep}`;
}

/** Defines the chain (and the one that it goes on to), for a batch in which it did not exist before. */
export function renderPickChain(table: string, chain: PickChain): string {
  const name = pickChainName(chain);
  const offset = poolOffset[chain.pool];
  const choose = `meta mark set numgen random mod ${chain.count} offset ${offset}`;
  const translate =
    chain.frontend === 'nodePort'
      ? 'dnat ip to meta l4proto . th dport . meta mark map @node_port_endpoints'
      : `dnat ip to ${destination} . meta mark map @endpoints`;
  if (chain.affinitySeconds === undefined) return define(table, name, [choose, translate]);
  const client = `ip saddr . ${destination}`;
  return (
    define(table, `${name}_go`, [
      `update @affinity { ${client} timeout ${chain.affinitySeconds}s : meta mark }`,
      translate,
    ]) + define(table, name, [`meta mark set ${client} map @affinity goto ${name}_go`, choose, `goto ${name}_go`])
  );
}

function define(table: string, name: string, rules: readonly string[]): string {
  return `table ip ${table} {\n  chain ${name} {\n    ${rules.join('\n    ')}\n  }\n}\n`;
}
