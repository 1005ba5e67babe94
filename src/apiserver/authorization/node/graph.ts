import { type Clock, sleep } from '#base/clock.ts';
import {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceSlice,
  VolumeAttachment,
} from '#kinds/generated/handles.ts';
import type {
  PersistentVolumeClaim as ClaimObject,
  Pod as PodObject,
  PersistentVolume as VolumeObject,
} from '#kinds/generated/types/core_v1.ts';
import type { ResourceSlice as SliceObject } from '#kinds/generated/types/resource_v1.ts';
import type { VolumeAttachment as AttachmentObject } from '#kinds/generated/types/storage_v1.ts';
import type { CacheEvent, ResourceCache } from '../../cache/resource-cache.ts';
import type { ResourceTable } from '../../resources/resource.ts';
import { objectKey } from '../../resources/storage-keys.ts';
import { isMirrorPod, podRefersTo, type ReferencedKind, volumeSecrets } from './references.ts';

/** So many pods are read at the start. */
const maxAtOnce = 2000;
const sliceLength = 500;

/** Which objects a node's pods need. Only the way from nodes to pods is kept; the rest is followed when asked. */
export class NodeGraph {
  readonly #pods: ResourceCache;
  readonly #claims: ResourceCache;
  readonly #volumes: ResourceCache;
  readonly #attachments: ResourceCache;
  readonly #slices: ResourceCache;
  /** Pods by node, then by namespace. */
  readonly #byNode = new Map<string, Map<string, Set<string>>>();

  readonly #clock: Clock;
  #isFilled: boolean;
  #filling: Promise<void> | undefined;

  constructor(resources: ResourceTable, clock: Clock) {
    const cacheOf = (kind: Parameters<ResourceTable['of']>[0]) => resources.of(kind).storage!.cache;
    this.#pods = cacheOf(Pod);
    this.#claims = cacheOf(PersistentVolumeClaim);
    this.#volumes = cacheOf(PersistentVolume);
    this.#attachments = cacheOf(VolumeAttachment);
    this.#slices = cacheOf(ResourceSlice);
    this.#clock = clock;
    this.#isFilled = this.#pods.size <= maxAtOnce;
    if (this.#isFilled) for (const { key, value } of this.#pods.entries()) this.#add(key, value.object as PodObject);
    this.#pods.onEvent((event) => this.#onPod(event));
  }

  /** Undefined when questions can be answered; else resolves when they can. Many pods are read when somebody asks first. */
  filled(): Promise<void> | undefined {
    if (this.#isFilled) return undefined;
    this.#filling ??= this.#fill();
    return this.#filling;
  }

  /** In slices, so that others have their turn and what has been read can be let go of. */
  async #fill(): Promise<void> {
    const keys = Array.from(this.#pods.entries(), ({ key }) => key);
    for (const [index, key] of keys.entries()) {
      const pod = this.#pods.get(key)?.value.object as PodObject | undefined;
      if (pod !== undefined) this.#add(key, pod);
      if (index % sliceLength === sliceLength - 1) await sleep(this.#clock, 0);
    }
    this.#isFilled = true;
  }

  /** Whether a pod on the node needs an object of its namespace. */
  reaches(node: string, kind: ReferencedKind, namespace: string, name: string): boolean {
    if (this.#somePod(node, namespace, (pod) => podRefersTo(pod, kind, name))) return true;
    return kind === 'secrets' && this.#reachesThroughVolume(node, `${namespace}/${name}`);
  }

  reachesPod(node: string, namespace: string, name: string): boolean {
    return this.#byNode.get(node)?.get(namespace)?.has(objectKey({ namespace, name })) === true;
  }

  reachesVolume(node: string, name: string): boolean {
    const volume = this.#volumes.get(name)?.value.object as VolumeObject | undefined;
    const claim = volume?.spec?.claimRef;
    if (claim?.name === undefined || claim.namespace === undefined) return false;
    return this.reaches(node, 'persistentvolumeclaims', claim.namespace, claim.name);
  }

  reachesAttachment(node: string, name: string): boolean {
    return (this.#attachments.get(name)?.value.object as AttachmentObject | undefined)?.spec.nodeName === node;
  }

  reachesSlice(node: string, name: string): boolean {
    return (this.#slices.get(name)?.value.object as SliceObject | undefined)?.spec.nodeName === node;
  }

  #somePod(node: string, namespace: string, check: (pod: PodObject) => boolean): boolean {
    for (const key of this.#byNode.get(node)?.get(namespace) ?? []) {
      const pod = this.#pods.get(key)?.value.object as PodObject | undefined;
      if (pod !== undefined && check(pod)) return true;
    }
    return false;
  }

  #reachesThroughVolume(node: string, secret: string): boolean {
    for (const [namespace, keys] of this.#byNode.get(node) ?? []) {
      for (const key of keys) {
        const pod = this.#pods.get(key)?.value.object as PodObject | undefined;
        if (pod === undefined || isMirrorPod(pod)) continue;
        for (const volume of this.#volumesOf(pod, namespace))
          for (const needed of volumeSecrets(volume)) if (needed === secret) return true;
      }
    }
    return false;
  }

  *#volumesOf({ spec, metadata }: PodObject, namespace: string): Generator<VolumeObject> {
    for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes ?? []) {
      const claimName = persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? '' : `${metadata.name}-${name}`);
      if (claimName === '') continue;
      const claim = this.#claims.get(objectKey({ namespace, name: claimName }))?.value.object as
        | ClaimObject
        | undefined;
      const volume = this.#volumes.get(claim?.spec?.volumeName ?? '')?.value.object as VolumeObject | undefined;
      if (volume !== undefined) yield volume;
    }
  }

  #onPod({ type, key, value, previous }: CacheEvent): void {
    const before = previous === undefined ? undefined : (previous.object as PodObject).spec.nodeName;
    const pod = value.object as PodObject;
    if (type === 'DELETED') {
      this.#byNode
        .get(pod.spec.nodeName ?? '')
        ?.get(pod.metadata.namespace ?? '')
        ?.delete(key);
      return;
    }
    if (before === undefined) this.#add(key, pod);
  }

  #add(key: string, { spec, metadata }: PodObject): void {
    const { nodeName = '' } = spec;
    if (nodeName === '') return;
    const namespace = metadata.namespace ?? '';
    const namespaces = getOrAdd(this.#byNode, nodeName, () => new Map<string, Set<string>>());
    getOrAdd(namespaces, namespace, () => new Set<string>()).add(key);
  }
}

function getOrAdd<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
