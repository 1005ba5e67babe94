import { LruCache } from '#base/lru-cache.ts';
import type { DeleteOptions } from '#client/client.ts';
import {
  type Controller,
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  type Turn,
} from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject, OwnerReference } from '#machinery/meta.ts';
import { parseApiVersion } from '#machinery/meta.ts';
import { type AggregatedApis, followServedKinds, noAggregatedApis, type ServedKind } from '../shared/served-kinds.ts';
import {
  blockingDependents,
  foregroundFinalizer,
  type GraphChange,
  type GraphNode,
  isDeletingDependents,
  OwnerGraph,
  orphanFinalizer,
} from './graph.ts';

/** Owners known to be gone; a uid never comes back. */
const absentOwnerLimit = 500;

/** Kinds whose objects neither own nor are owned, and change all the time. */
const ignored = new Set(['events', 'events.events.k8s.io']);

/** Deletes what has lost its last owner, and carries out foreground and orphan deletion. */
export function garbageCollector(kinds: readonly Kind[], aggregated: AggregatedApis = noAggregatedApis): Controller {
  const followed = kinds.filter(
    ({ group, resource }) => !ignored.has(group === '' ? resource : `${resource}.${group}`),
  );
  return defineController({
    name: 'generic-garbage-collector',
    component: 'garbage-collector-controller',
    queue: 'garbage_collector_attempt_to_delete',
    workers: 20,
    setup(context) {
      const collector = new Collector(context, followed, aggregated);
      return (key, turn) => collector.reconcile(key, turn);
    },
  });
}

/** What an owner reference turned out to be. */
type OwnerState = 'solid' | 'dangling' | 'waiting';

/** A kind, and what objects of it are there: the graph does not have all. */
interface KnownKind {
  readonly kind: Kind;
  /** Undefined for what cannot be watched. */
  readonly informer: Informer<ApiObject> | undefined;
}

class Collector {
  readonly #context: ControllerContext;
  readonly #kinds = new Map<string, KnownKind>();
  readonly #graph = new OwnerGraph();
  /** By uid, owners that are not where their dependents are. */
  readonly #absent = new LruCache<string, 'gone' | 'elsewhere'>(absentOwnerLimit);

  constructor(context: ControllerContext, kinds: readonly Kind[], aggregated: AggregatedApis) {
    this.#context = context;
    for (const kind of kinds) this.#follow({ kind, follow: () => context.watch(kind) });
    followServedKinds(context, aggregated, {
      come: (served) => this.#follow(served),
      gone: (kind) => {
        this.#kinds.delete(kindKey(kind.group, kind.kind));
        for (const { uid } of [...this.#graph.nodes()].filter((node) => node.kind === kind))
          this.#enqueue(this.#graph.delete(uid));
      },
    });
  }

  #follow({ kind, follow }: ServedKind): void {
    const informer = follow?.();
    this.#kinds.set(kindKey(kind.group, kind.kind), { kind, informer });
    informer?.subscribe({
      added: (object) => this.#enqueue(this.#graph.set(kind, object)),
      updated: (old, object) => {
        // Most updates change neither owners nor finalizers nor start a deletion.
        if (hasNews(old, object)) this.#enqueue(this.#graph.set(kind, object));
      },
      deleted: (object) => {
        this.#absent.set(object.metadata.uid ?? '', 'gone');
        this.#enqueue(this.#graph.delete(object.metadata.uid ?? ''));
      },
    });
  }

  async reconcile(key: string, turn: Turn): Promise<ReconcileResult> {
    const [task, uid = ''] = key.split(' ');
    const node = this.#graph.get(uid);
    if (node?.kind === undefined) return done;
    if (task === 'orphan') await this.#orphanDependents(node, turn);
    else await this.#inspect(node, node.kind, turn);
    return done;
  }

  #enqueue({ inspect, orphan }: GraphChange): void {
    for (const node of inspect) this.#context.enqueue(`inspect ${node.uid}`);
    for (const node of orphan) this.#context.enqueue(`orphan ${node.uid}`);
  }

  async #inspect(node: GraphNode, kind: Kind, turn: Turn): Promise<void> {
    if (isDeletingDependents(node)) {
      await this.#continueForeground(node, kind, turn);
      return;
    }
    if (node.isBeingDeleted || node.owners.length === 0) return;
    const states = new Map<OwnerReference, OwnerState>();
    for (const owner of node.owners) states.set(owner, await this.#stateOf(owner, node, turn));
    const inState = (state: OwnerState) => node.owners.filter((owner) => states.get(owner) === state);
    const solid = inState('solid');
    if (solid.length === node.owners.length) return;
    if (solid.length > 0) {
      // Others still own it: only the references to those that are gone, or going with their dependents, are dropped.
      const gone = new Set(node.owners.filter((owner) => !solid.includes(owner)).map(({ uid }) => uid));
      const without = ({ ownerReferences = [] }: ApiObject['metadata']) => ({
        ownerReferences: ownerReferences.filter(({ uid }) => !gone.has(uid)),
      });
      await this.#patch(node, kind, without, turn);
    } else if (inState('waiting').length > 0 && node.dependents.size > 0) {
      await this.#deleteInForeground(node, kind, turn);
    } else {
      await this.#delete(node, kind, policyOf(node), turn);
    }
  }

  /** The owner waits for its blocking dependents; each is looked at, and when none is left the owner goes. */
  async #continueForeground(node: GraphNode, kind: Kind, turn: Turn): Promise<void> {
    const blocking = blockingDependents(node);
    if (blocking.length === 0) {
      await this.#removeFinalizer(node, kind, foregroundFinalizer, turn);
      return;
    }
    for (const dependent of blocking) {
      if (!isDeletingDependents(dependent)) this.#context.enqueue(`inspect ${dependent.uid}`);
    }
  }

  async #deleteInForeground(node: GraphNode, kind: Kind, turn: Turn): Promise<void> {
    const isCircle = [...node.dependents].some(isDeletingDependents);
    if (isCircle) {
      // Two that wait for each other would wait for ever: this one stops blocking.
      const unblocked = ({ ownerReferences = [] }: ApiObject['metadata']) => ({
        ownerReferences: ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false })),
      });
      await this.#patch(node, kind, unblocked, turn);
    }
    await this.#delete(node, kind, 'Foreground', turn);
  }

  async #orphanDependents(node: GraphNode, turn: Turn): Promise<void> {
    for (const dependent of node.dependents) {
      if (dependent.kind === undefined) continue;
      await this.#patch(
        dependent,
        dependent.kind,
        ({ ownerReferences = [] }) => ({ ownerReferences: ownerReferences.filter(({ uid }) => uid !== node.uid) }),
        turn,
      );
    }
    if (node.kind !== undefined) await this.#removeFinalizer(node, node.kind, orphanFinalizer, turn);
  }

  /** Whether the owner is there. What no informer shows is asked of the API: deleting by mistake cannot be undone. */
  async #stateOf(owner: OwnerReference, dependent: GraphNode, { client, signal }: Turn): Promise<OwnerState> {
    const { kind, informer } = this.#kinds.get(kindKey(parseApiVersion(owner.apiVersion).group, owner.kind)) ?? {};
    const namespace = kind?.namespaced === true ? dependent.namespace : undefined;
    const seen = informer?.get(namespace, owner.name);
    if (seen?.metadata.uid === owner.uid) return stateOf(seen);
    const absent = this.#absent.get(owner.uid);
    if (absent === 'elsewhere') this.#tellOfNamespace(owner, dependent);
    if (absent !== undefined) return 'dangling';
    if (kind === undefined) throw new Error(`no kind ${owner.kind} in ${owner.apiVersion} is known`);
    if (kind.namespaced && (dependent.namespace ?? '') === '') {
      throw new Error(`${dependent.name} is cluster-scoped and cannot be owned by a namespaced ${owner.kind}`);
    }
    try {
      const found = await client.get(kind, { name: owner.name, namespace }, { signal });
      if (found.metadata.uid === owner.uid) return stateOf(found);
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
    }
    const isInOtherNamespace = kind.namespaced && isElsewhere(informer?.list() ?? [], owner, dependent);
    this.#absent.set(owner.uid, isInOtherNamespace ? 'elsewhere' : 'gone');
    if (isInOtherNamespace) this.#tellOfNamespace(owner, dependent);
    return 'dangling';
  }

  /** An owner in another namespace is none (https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/). */
  #tellOfNamespace({ apiVersion, kind, name, uid }: OwnerReference, dependent: GraphNode): void {
    if (dependent.kind === undefined) return;
    const { namespace = '' } = dependent;
    const reference = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
    const metadata = { name: dependent.name, namespace: dependent.namespace, uid: dependent.uid };
    this.#context.events.record(dependent.kind, { metadata } as ApiObject, {
      type: 'Warning',
      reason: 'OwnerRefInvalidNamespace',
      message: `ownerRef ${reference} does not exist in namespace ${JSON.stringify(namespace)}`,
    });
  }

  async #delete(
    { uid, name, namespace }: GraphNode,
    kind: Kind,
    propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>,
    { client, signal }: Turn,
  ): Promise<void> {
    try {
      await client.delete(kind, { name, namespace }, { propagationPolicy, preconditions: { uid }, signal });
    } catch (error) {
      // Gone, or another of the same name by now.
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
    }
  }

  async #removeFinalizer(node: GraphNode, kind: Kind, finalizer: string, turn: Turn): Promise<void> {
    const without = ({ finalizers = [] }: ApiObject['metadata']) =>
      finalizers.includes(finalizer) ? { finalizers: finalizers.filter((name) => name !== finalizer) } : undefined;
    await this.#patch(node, kind, without, turn);
  }

  /** Changes metadata as it is now, refusing if anybody else does at the same time. */
  async #patch(
    { uid, name, namespace }: GraphNode,
    kind: Kind,
    change: (metadata: ApiObject['metadata']) => Partial<ApiObject['metadata']> | undefined,
    { client, signal }: Turn,
  ): Promise<void> {
    try {
      const ref = { name, namespace };
      const { metadata } = await client.get(kind, ref, { signal });
      const wanted = metadata.uid === uid ? change(metadata) : undefined;
      if (wanted === undefined) return;
      const body = { metadata: { ...wanted, uid, resourceVersion: metadata.resourceVersion } };
      await client.patch(kind, ref, { type: 'merge', body }, { signal });
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error;
    }
  }
}

function kindKey(group: string, kind: string): string {
  return `${group}/${kind}`;
}

function hasNews(old: ApiObject, object: ApiObject): boolean {
  const [before, after] = [old.metadata, object.metadata];
  return (
    before.deletionTimestamp !== after.deletionTimestamp ||
    !equalValues(before.ownerReferences, after.ownerReferences) ||
    !equalValues(before.finalizers, after.finalizers)
  );
}

/** Whether the owner is in another namespace than what names it. */
function isElsewhere(objects: Iterable<ApiObject>, { uid }: OwnerReference, dependent: GraphNode): boolean {
  for (const { metadata } of objects) if (metadata.uid === uid) return metadata.namespace !== dependent.namespace;
  return false;
}

function stateOf({ metadata }: ApiObject): OwnerState {
  const isWaiting = metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(foregroundFinalizer);
  return isWaiting === true ? 'waiting' : 'solid';
}

function policyOf({ finalizers }: GraphNode): NonNullable<DeleteOptions['propagationPolicy']> {
  if (finalizers.includes(orphanFinalizer)) return 'Orphan';
  return finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background';
}
