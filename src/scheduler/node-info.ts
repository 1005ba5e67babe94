import { amountOf } from '#kinds/core/pod/requests.ts';
import type { Node } from '#kinds/generated/types/core_v1.ts';
import { addAmount, emptyResources, type HostPort, type PodInfo, type Resources } from './pod-info.ts';

/** A node with its pods and the sums over them, kept up to date pod by pod. */
export class NodeInfo {
  readonly name: string;
  /** Undefined while pods are known on a node that is not. */
  node: Node | undefined;
  allocatable: Resources = emptyResources();
  allowedPods = 0;
  readonly pods = new Map<string, PodInfo>();
  readonly requested: Resources = emptyResources();
  scoredCpu = 0;
  scoredMemory = 0;
  readonly hostPorts: HostPort[] = [];
  /** Image name to size in bytes. */
  images: ReadonlyMap<string, number> = new Map();
  podsWithAffinity = 0;
  podsWithRequiredAntiAffinity = 0;

  constructor(name: string) {
    this.name = name;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node?.metadata.labels ?? {};
  }

  setNode(node: Node): void {
    const status = node.status ?? {};
    const isFirst = this.node === undefined;
    const old = this.node?.status;
    this.node = node;
    if (isFirst || old?.allocatable !== status.allocatable) {
      this.allocatable = emptyResources();
      this.allowedPods = 0;
      for (const [resource, text] of Object.entries(status.allocatable ?? {})) {
        const amount = amountOf(resource, text);
        if (resource === 'pods') this.allowedPods = amount;
        else addAmount(this.allocatable, resource, amount);
      }
    }
    if (isFirst || old?.images !== status.images) {
      const images = new Map<string, number>();
      for (const { names = [], sizeBytes = 0 } of status.images ?? []) {
        for (const name of names) images.set(name, sizeBytes);
      }
      this.images = images;
    }
  }

  addPod(info: PodInfo): void {
    this.removePod(info.uid);
    this.pods.set(info.uid, info);
    this.hostPorts.push(...info.hostPorts);
    this.#count(info, 1);
  }

  removePod(uid: string): PodInfo | undefined {
    const info = this.pods.get(uid);
    if (info === undefined) return undefined;
    this.pods.delete(uid);
    for (const port of info.hostPorts) this.hostPorts.splice(this.hostPorts.indexOf(port), 1);
    this.#count(info, -1);
    return info;
  }

  /** The node as it would be without some pods and with others. */
  with(changes: { readonly removed?: Iterable<PodInfo>; readonly added?: Iterable<PodInfo> }): NodeInfo {
    const copy = new NodeInfo(this.name);
    if (this.node !== undefined) copy.setNode(this.node);
    for (const info of this.pods.values()) copy.addPod(info);
    for (const info of changes.removed ?? []) copy.removePod(info.uid);
    for (const info of changes.added ?? []) copy.addPod(info);
    return copy;
  }

  #count(info: PodInfo, sign: 1 | -1): void {
    const { requested } = this;
    requested.cpu += sign * info.requests.cpu;
    requested.memory += sign * info.requests.memory;
    requested.ephemeralStorage += sign * info.requests.ephemeralStorage;
    for (const [resource, amount] of info.requests.others) addAmount(requested, resource, sign * amount);
    this.scoredCpu += sign * info.scoredCpu;
    this.scoredMemory += sign * info.scoredMemory;
    if (info.hasAffinity) this.podsWithAffinity += sign;
    if (info.hasRequiredAntiAffinity) this.podsWithRequiredAntiAffinity += sign;
  }
}
