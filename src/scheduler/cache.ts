import type { Namespace, Node, Pod } from '#kinds/generated/types/core_v1.ts';
import type { Snapshot } from './framework.ts';
import { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** Where namespaces are looked up; the informer's cache. */
export interface NamespaceSource {
  get(namespace: string | undefined, name: string): Namespace | undefined;
  list(): Iterable<Namespace>;
}

/**
 * Nodes with their pods, as the API shows them plus the pods that were placed and are not bound yet (assumed). Changed
 * pod by pod; a scheduling attempt is synchronous and reads it in place.
 */
export class SchedulerCache implements Snapshot {
  readonly #nodes = new Map<string, NodeInfo>();
  /** Pod uid to the name of the node it counts on. */
  readonly #podNodes = new Map<string, string>();
  readonly #withAffinity = new Set<NodeInfo>();
  readonly #imageNodes = new Map<string, number>();
  readonly #namespaces: NamespaceSource;
  #list: readonly NodeInfo[] | undefined;

  constructor(namespaces: NamespaceSource) {
    this.#namespaces = namespaces;
  }

  /** Nodes that exist, spread over zones so that taking them in order spreads pods. */
  get nodes(): readonly NodeInfo[] {
    this.#list ??= interleaveZones([...this.#nodes.values()].filter(({ node }) => node !== undefined));
    return this.#list;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#nodes.get(name);
    return info?.node === undefined ? undefined : info;
  }

  nodesWithAffinity(): Iterable<NodeInfo> {
    return this.#withAffinity;
  }

  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(undefined, name);
  }

  namespaces(): Iterable<Namespace> {
    return this.#namespaces.list();
  }

  nodesWithImage(image: string): number {
    return this.#imageNodes.get(image) ?? 0;
  }

  setNode(node: Node): void {
    const info = this.#infoFor(node.metadata.name ?? '');
    const before = info.images;
    if (info.node === undefined || zoneOf(info.node) !== zoneOf(node)) this.#list = undefined;
    info.setNode(node);
    if (before !== info.images) this.#countImages(before, info.images);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info === undefined) return;
    this.#countImages(info.images, new Map());
    info.images = new Map();
    info.node = undefined;
    this.#list = undefined;
    if (info.pods.size === 0) this.#nodes.delete(name);
  }

  /** The node that the pod counts on, bound or assumed. */
  nodeOf(uid: string): string | undefined {
    return this.#podNodes.get(uid);
  }

  /** Pods that count on some node. */
  get podCount(): number {
    return this.#podNodes.size;
  }

  /** Counts the pod on a node; a pod that was assumed, or counted elsewhere, moves. */
  addPod(info: PodInfo, nodeName: string): void {
    const before = this.#podNodes.get(info.uid);
    if (before !== undefined && before !== nodeName) this.removePod(info.uid);
    const node = this.#infoFor(nodeName);
    node.addPod(info);
    this.#podNodes.set(info.uid, nodeName);
    if (node.podsWithAffinity > 0) this.#withAffinity.add(node);
  }

  removePod(uid: string): Pod | undefined {
    const nodeName = this.#podNodes.get(uid);
    const node = nodeName === undefined ? undefined : this.#nodes.get(nodeName);
    this.#podNodes.delete(uid);
    if (node === undefined) return undefined;
    const removed = node.removePod(uid);
    if (node.podsWithAffinity === 0) this.#withAffinity.delete(node);
    if (node.node === undefined && node.pods.size === 0) this.#nodes.delete(node.name);
    return removed?.pod;
  }

  #infoFor(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (info === undefined) {
      info = new NodeInfo(name);
      this.#nodes.set(name, info);
    }
    return info;
  }

  #countImages(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
    for (const image of before.keys()) {
      const count = (this.#imageNodes.get(image) ?? 0) - 1;
      if (count > 0) this.#imageNodes.set(image, count);
      else this.#imageNodes.delete(image);
    }
    for (const image of after.keys()) this.#imageNodes.set(image, (this.#imageNodes.get(image) ?? 0) + 1);
  }
}

function zoneOf(node: Node): string {
  const labels = node.metadata.labels ?? {};
  return `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`;
}

/** One node of each zone in turn. */
function interleaveZones(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const zones = [...Map.groupBy(nodes, ({ node }) => (node === undefined ? '' : zoneOf(node))).values()];
  if (zones.length < 2) return nodes;
  const longest = Math.max(...zones.map((zone) => zone.length));
  return Array.from({ length: longest }, (_, index) => zones.flatMap((zone) => zone[index] ?? [])).flat();
}
