import { exponentialBounds, type Series } from '#base/metrics.ts';
import {
  type Controller,
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import { isNamespaceTerminating } from '#client/failures.ts';
import type { Informer } from '#client/informer.ts';
import { byControllerUid, byNamespace } from '#client/object-cache.ts';
import { keyFor, keyOf } from '#client/object-key.ts';
import { isPodActive, untilPodAvailableMs } from '#kinds/core/pod/state.ts';
import { Pod as PodKind, ReplicaSet as ReplicaSetKind, ReplicationController } from '#kinds/generated/handles.ts';
import type { ReplicaSetStatus } from '#kinds/generated/types/apps_v1.ts';
import type { Pod, PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { claim } from '../shared/claim.ts';
import { type LabelMatch, labelMatch, mapMatch } from '../shared/match.ts';
import { controllerNameOf, controllerOf } from '../shared/owners.ts';
import { createPod, deletePod, podFromTemplate } from '../shared/pods.ts';
import { slowStart } from '../shared/slow-start.ts';
import { ageRatios, inDeletionOrder } from './deletion-order.ts';
import { type ReplicaFailure, replicaStatus } from './status.ts';

/** Pods created or deleted in one turn. */
const burstReplicas = 500;

/** What a ReplicaSet and a ReplicationController have in common. */
interface ReplicaOwner extends ApiObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly template?: PodTemplateSpec;
  };
  readonly status?: ReplicaSetStatus;
}

interface Flavour<T extends ReplicaOwner> {
  readonly name: string;
  readonly component: string;
  readonly queue: string;
  readonly kind: Kind<T>;
  readonly selector: (owner: T) => LabelMatch;
}

/** Keeps as many pods as a ReplicaSet asks for. */
export const replicaSet = replicaController({
  name: 'replicaset-controller',
  component: 'replicaset-controller',
  queue: 'replicaset',
  kind: ReplicaSetKind,
  selector: (set) => labelMatch(set.spec?.selector),
});

/** The same for a ReplicationController, whose selector is a plain map. */
export const replicationController = replicaController({
  name: 'replication-controller',
  component: 'replication-controller',
  queue: 'replicationmanager',
  kind: ReplicationController,
  selector: (controller) => mapMatch(controller.spec?.selector),
});

function replicaController<T extends ReplicaOwner>(flavour: Flavour<T>): Controller {
  return defineController({
    name: flavour.name,
    component: flavour.component,
    queue: flavour.queue,
    workers: 5,
    setup(context) {
      const replicas = new Replicas(flavour, context);
      return (key, turn) => replicas.reconcile(key, turn);
    },
  });
}

class Replicas<T extends ReplicaOwner> {
  readonly #flavour: Flavour<T>;
  readonly #context: ControllerContext;
  readonly #owners: Informer<T>;
  readonly #pods: Informer<Pod>;
  readonly #matchers = new WeakMap<T, LabelMatch>();
  readonly #ageRatios: Series;

  constructor(flavour: Flavour<T>, context: ControllerContext) {
    this.#flavour = flavour;
    this.#context = context;
    this.#owners = context.watch(flavour.kind, (owner) => [keyOf(owner)]);
    this.#pods = context.watch(PodKind, (pod, event) => this.#ownersOf(pod, event.type === 'deleted'));
    this.#ageRatios = context.metrics
      .histogram(
        'replicaset_controller_sorting_deletion_age_ratio',
        'How much older than the youngest pod the pods are that go.',
        exponentialBounds(0.25, 2, 6),
      )
      .series({});
    this.#owners.index('namespace', byNamespace);
    this.#pods.index('controllerUid', byControllerUid);
    this.#pods.index('orphanNamespace', orphanNamespace);
  }

  async reconcile(key: string, turn: Turn): Promise<ReconcileResult> {
    const owner = this.#owners.getByKey(key);
    if (owner === undefined) return done;
    const { clock } = this.#context.environment;
    const { uid = '', namespace = '' } = owner.metadata;
    const controlled = this.#pods.index('controllerUid', byControllerUid).get(uid);
    const orphans = this.#pods.index('orphanNamespace', orphanNamespace).get(namespace);
    const active = await claim({
      ...turn,
      ownerKind: this.#flavour.kind,
      owner,
      itemKind: PodKind,
      candidates: [...controlled, ...orphans].filter(isPodActive),
      matches: this.#matcher(owner),
    });
    const failure =
      owner.metadata.deletionTimestamp === undefined ? await this.#manage(owner, active, turn) : undefined;
    const minReadySeconds = owner.spec?.minReadySeconds ?? 0;
    await this.#writeStatus(owner, active, controlled, failure, turn);
    if (failure !== undefined) throw failure.error;
    if (minReadySeconds === 0) return done;
    const waits = active
      .map((pod) => untilPodAvailableMs(pod, minReadySeconds, clock.now()) ?? 0)
      .filter((ms) => ms > 0);
    return waits.length === 0 ? done : retryAfter(Math.min(...waits));
  }

  async #manage(owner: T, active: readonly Pod[], turn: Turn): Promise<ReplicaFailure | undefined> {
    const surplus = active.length - (owner.spec?.replicas ?? 1);
    const { kind } = this.#flavour;
    const write = { ...turn, events: this.#context.events, kind, owner };
    if (surplus < 0) {
      const pod = podFromTemplate(kind, owner, owner.spec?.template ?? {});
      const { failure } = await slowStart(Math.min(-surplus, burstReplicas), async () => {
        await createPod(write, pod);
      });
      return failure === undefined || isNamespaceTerminating(failure)
        ? undefined
        : { reason: 'FailedCreate', error: failure };
    }
    if (surplus === 0) return undefined;
    const victims = this.#victims(owner, active, Math.min(surplus, burstReplicas));
    const outcomes = await Promise.allSettled(victims.map((pod) => deletePod(write, pod)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    return failed === undefined ? undefined : { reason: 'FailedDelete', error: failed.reason };
  }

  #victims(owner: T, active: readonly Pod[], count: number): readonly Pod[] {
    if (count >= active.length) return active;
    const crowds = new Map<string, number>();
    for (const pod of this.#relatedPods(owner)) {
      const node = pod.spec?.nodeName ?? '';
      if (node !== '' && isPodActive(pod)) crowds.set(node, (crowds.get(node) ?? 0) + 1);
    }
    const crowd = (pod: Pod) => crowds.get(pod.spec?.nodeName ?? '') ?? 0;
    const nowMs = this.#context.environment.clock.now();
    const victims = inDeletionOrder(active, crowd, nowMs).slice(0, count);
    for (const ratio of ageRatios(victims, active, nowMs)) this.#ageRatios(ratio);
    return victims;
  }

  /** Pods of every set with the same controller: during a rollout old and new pods crowd a node together. */
  *#relatedPods(owner: T): Iterable<Pod> {
    const parent = controllerOf(owner);
    const siblings = this.#owners.index('namespace', byNamespace).get(owner.metadata.namespace ?? '');
    const related =
      parent === undefined ? [owner] : siblings.filter((other) => controllerOf(other)?.uid === parent.uid);
    const pods = this.#pods.index('controllerUid', byControllerUid);
    for (const sibling of related) yield* pods.get(sibling.metadata.uid ?? '');
  }

  async #writeStatus(
    owner: T,
    active: readonly Pod[],
    all: readonly Pod[],
    failure: ReplicaFailure | undefined,
    turn: Turn,
  ): Promise<void> {
    const status = replicaStatus({
      old: owner.status,
      generation: owner.metadata.generation ?? 0,
      templateLabels: owner.spec?.template?.metadata?.labels ?? {},
      minReadySeconds: owner.spec?.minReadySeconds ?? 0,
      active,
      all,
      failure,
      nowMs: this.#context.environment.clock.now(),
    });
    // A ReplicationController's status does not know pods that are terminating.
    const { terminatingReplicas: _, ...plain } = status;
    const known = this.#flavour.kind.group === '' ? plain : status;
    if (equalValues(owner.status, known)) return;
    await turn.client.updateStatus(this.#flavour.kind, { ...owner, status: known }, { signal: turn.signal });
  }

  #matcher(owner: T): LabelMatch {
    let matcher = this.#matchers.get(owner);
    if (matcher === undefined) {
      matcher = this.#flavour.selector(owner);
      this.#matchers.set(owner, matcher);
    }
    return matcher;
  }

  #ownersOf(pod: Pod, isDeleted: boolean): readonly string[] {
    const { namespace = '' } = pod.metadata;
    const controller = controllerOf(pod);
    if (controller !== undefined) {
      const name = controllerNameOf(pod, this.#flavour.kind);
      const owner = name === undefined ? undefined : this.#owners.get(namespace, name);
      return owner?.metadata.uid === controller.uid ? [keyFor(namespace, controller.name)] : [];
    }
    if (isDeleted) return [];
    // A pod without a controller may be adopted by whoever selects it.
    const candidates = this.#owners.index('namespace', byNamespace).get(namespace);
    return candidates.filter((owner) => this.#matcher(owner)(pod.metadata.labels)).map(keyOf);
  }
}

function orphanNamespace(pod: Pod): readonly string[] {
  return controllerOf(pod) === undefined ? [pod.metadata.namespace ?? ''] : [];
}
