import type { Metrics } from '#base/metrics.ts';
import type { Node } from '#kinds/generated/types/core_v1.ts';
import { readyCondition } from './health.ts';

/** What nodes of one zone are like. */
interface Zone {
  size: number;
  unhealthy: number;
}

/** `node_collector_*`: zones are counted when somebody asks. */
export class NodeMetrics {
  readonly #evictions;

  constructor(metrics: Metrics, nodes: () => Iterable<Node>) {
    this.#evictions = metrics.counter('node_collector_evictions_total', 'Nodes whose pods had to go, by zone.');
    const perZone = (name: string, help: string, read: (zone: Zone) => number): void =>
      metrics.gauge(`node_collector_${name}`, help, () =>
        [...zonesOf(nodes())].map(([zone, counts]) => [{ zone }, read(counts)] as const),
      );
    perZone('zone_size', 'Nodes of a zone.', ({ size }) => size);
    perZone('zone_health', 'Of those, how many in a hundred run pods.', ({ size, unhealthy }) =>
      size === 0 ? 100 : (100 * (size - unhealthy)) / size,
    );
    perZone('unhealthy_nodes_in_zone', 'Nodes of a zone that run no pods.', ({ unhealthy }) => unhealthy);
  }

  /** The pods of a node have to go. */
  evicted(node: Node): void {
    this.#evictions.add({ zone: zoneOf(node) });
  }
}

function zonesOf(nodes: Iterable<Node>): ReadonlyMap<string, Zone> {
  const zones = new Map<string, Zone>();
  for (const node of nodes) {
    const name = zoneOf(node);
    const zone = zones.get(name) ?? { size: 0, unhealthy: 0 };
    zone.size++;
    if (readyCondition(node)?.status !== 'True') zone.unhealthy++;
    zones.set(name, zone);
  }
  return zones;
}

/** Region and zone as upstream joins them; empty for a node that is in neither. */
function zoneOf({ metadata: { labels = {} } }: Node): string {
  const { 'topology.kubernetes.io/region': region = '', 'topology.kubernetes.io/zone': zone = '' } = labels;
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`;
}
