import {
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import { isNamespaceTerminating, messageOf } from '#client/failures.ts';
import type { Informer } from '#client/informer.ts';
import { byControllerUid, byNamespace } from '#client/object-cache.ts';
import { keyOf, refTo } from '#client/object-key.ts';
import { untilPodAvailableMs } from '#kinds/core/pod/state.ts';
import {
  PersistentVolumeClaim as ClaimKind,
  ControllerRevision as ControllerRevisionKind,
  Pod as PodKind,
  StatefulSet as StatefulSetKind,
} from '#kinds/generated/handles.ts';
import type { ControllerRevision, StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import type { PersistentVolumeClaim, Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { claim } from '../shared/claim.ts';
import { labelMatch } from '../shared/match.ts';
import { orphanNamespace, ownersOf } from '../shared/pod-owners.ts';
import { revisionHashLabel, syncRevision, templateOf, trimRevisions } from '../shared/revisions.ts';
import { ensureClaims, retainClaims } from './claims.ts';
import { type Plan, planStep } from './plan.ts';
import { ordinalOf, podFor, podNameFor } from './pod.ts';
import { statefulSetStatus } from './status.ts';

/** Keeps pods with lasting names and claims, and moves them in order. */
export const statefulSet = defineController({
  name: 'statefulset-controller',
  workers: 5,
  setup(context) {
    const sets = new StatefulSets(context);
    return (key, turn) => sets.reconcile(key, turn);
  },
});

interface Revisions {
  readonly update: ControllerRevision;
  readonly current: ControllerRevision;
  readonly all: readonly ControllerRevision[];
  readonly collisionCount: number | undefined;
}

class StatefulSets {
  readonly #context: ControllerContext;
  readonly #sets: Informer<StatefulSet>;
  readonly #pods: Informer<Pod>;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #revisions: Informer<ControllerRevision>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = context.watch(StatefulSetKind, (set) => [keyOf(set)]);
    this.#sets.index('namespace', byNamespace);
    this.#pods = context.watch(PodKind, (pod, event) => ownersOf(StatefulSetKind, this.#sets, pod, event));
    this.#pods.index('controllerUid', byControllerUid);
    this.#pods.index('orphanNamespace', orphanNamespace);
    this.#claims = context.watch(ClaimKind);
    this.#revisions = context.watch(ControllerRevisionKind);
    this.#revisions.index('controllerUid', byControllerUid);
  }

  async reconcile(key: string, turn: Turn): Promise<ReconcileResult> {
    const set = this.#sets.getByKey(key);
    if (set === undefined) return done;
    const nowMs = this.#context.environment.clock.now();
    const pods = await this.#claimPods(set, turn);
    const revisions = await this.#syncRevisions(set, turn);
    const names = {
      updateRevision: revisions.update.metadata.name ?? '',
      currentRevision: revisions.current.metadata.name ?? '',
    };
    let failure: unknown;
    if (set.metadata.deletionTimestamp === undefined) {
      const plan = planStep({ set, pods, nowMs, ...names });
      failure = await this.#carryOut(set, plan, revisions, turn).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    const status = statefulSetStatus({ set, pods, nowMs, ...names, collisionCount: revisions.collisionCount });
    if (!equalValues(status, set.status)) {
      await turn.client.updateStatus(StatefulSetKind, { ...set, status }, { signal: turn.signal });
    }
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
    await this.#trim(set, pods, revisions, turn);
    const waits = pods.map((pod) => untilPodAvailableMs(pod, set.spec.minReadySeconds ?? 0, nowMs) ?? 0);
    const waiting = waits.filter((ms) => ms > 0);
    return waiting.length === 0 ? done : retryAfter(Math.min(...waiting));
  }

  async #carryOut(set: StatefulSet, plan: Plan, revisions: Revisions, turn: Turn): Promise<void> {
    const claimTurn = { ...turn, events: this.#context.events, claims: this.#claims };
    for (const pod of plan.recreate) {
      const isFailed = pod.status?.phase === 'Failed';
      const message = `StatefulSet ${keyOf(set)} is recreating ${isFailed ? 'failed' : 'terminated'} Pod ${pod.metadata.name}`;
      const reason = isFailed ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod';
      this.#context.events.record(StatefulSetKind, set, { type: isFailed ? 'Warning' : 'Normal', reason, message });
      await this.#delete(set, pod, turn);
    }
    for (const { ordinal, revision } of plan.create) {
      await ensureClaims(claimTurn, set, ordinal);
      await this.#create(set, ordinal, revision === 'update' ? revisions.update : revisions.current, turn);
    }
    for (const pod of plan.remove) {
      const ordinal = ordinalOf(set, pod) ?? 0;
      const start = set.spec.ordinals?.start ?? 0;
      const condemned = ordinal < start || ordinal >= start + (set.spec.replicas ?? 1);
      await retainClaims(claimTurn, set, pod, ordinal, { condemned });
      await this.#delete(set, pod, turn);
    }
  }

  async #create(
    set: StatefulSet,
    ordinal: number,
    revision: ControllerRevision,
    { client, signal }: Turn,
  ): Promise<void> {
    const isNewest = equalValues(templateOf(revision), set.spec.template);
    const template = isNewest ? set.spec.template : templateOf(revision);
    const pod = podFor(set, template, revision.metadata.name ?? '', ordinal);
    const what = `create Pod ${podNameFor(set, ordinal)} in StatefulSet ${set.metadata.name}`;
    try {
      const created = await client.create(PodKind, pod, { signal });
      const claimTurn = { client, signal, events: this.#context.events, claims: this.#claims };
      await retainClaims(claimTurn, set, created, ordinal, { condemned: false });
    } catch (error) {
      if (!signal.aborted && !isNamespaceTerminating(error) && !isReason(error, 'AlreadyExists')) {
        const message = `${what} failed error: ${messageOf(error)}`;
        this.#context.events.record(StatefulSetKind, set, { type: 'Warning', reason: 'FailedCreate', message });
      }
      throw error;
    }
    const note = { type: 'Normal', reason: 'SuccessfulCreate', message: `${what} successful` } as const;
    this.#context.events.record(StatefulSetKind, set, note);
  }

  async #delete(set: StatefulSet, pod: Pod, { client, signal }: Turn): Promise<void> {
    const what = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    const { uid } = pod.metadata;
    try {
      await client.delete(PodKind, refTo(pod), { ...(uid === undefined ? {} : { preconditions: { uid } }), signal });
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
      const message = `${what} failed error: ${messageOf(error)}`;
      this.#context.events.record(StatefulSetKind, set, { type: 'Warning', reason: 'FailedDelete', message });
      throw error;
    }
    const note = { type: 'Normal', reason: 'SuccessfulDelete', message: `${what} successful` } as const;
    this.#context.events.record(StatefulSetKind, set, note);
  }

  async #syncRevisions(set: StatefulSet, turn: Turn): Promise<Revisions> {
    const all = this.#revisions.index('controllerUid', byControllerUid).get(set.metadata.uid ?? '');
    const { revision, collisionCount } = await syncRevision(
      turn,
      {
        kind: StatefulSetKind,
        owner: set,
        template: set.spec.template,
        labels: set.spec.selector.matchLabels ?? {},
        collisionCount: set.status?.collisionCount,
      },
      all,
    );
    const name = set.status?.currentRevision ?? '';
    const current = all.find(({ metadata }) => metadata.name === name) ?? revision;
    return { update: revision, current, all, collisionCount };
  }

  async #trim(set: StatefulSet, pods: readonly Pod[], { all, update, current }: Revisions, turn: Turn): Promise<void> {
    const used = new Set(pods.map(({ metadata }) => metadata.labels?.[revisionHashLabel]));
    used.add(update.metadata.name);
    used.add(current.metadata.name);
    await trimRevisions(turn, all, ({ metadata }) => used.has(metadata.name), set.spec.revisionHistoryLimit ?? 10);
  }

  async #claimPods(set: StatefulSet, turn: Turn): Promise<readonly Pod[]> {
    const controlled = this.#pods.index('controllerUid', byControllerUid).get(set.metadata.uid ?? '');
    const orphans = this.#pods.index('orphanNamespace', orphanNamespace).get(set.metadata.namespace ?? '');
    // Only pods with the set's names can be its own, whatever their labels.
    const candidates = [...controlled, ...orphans].filter((pod) => ordinalOf(set, pod) !== undefined);
    const matches = labelMatch(set.spec.selector);
    return await claim({ ...turn, ownerKind: StatefulSetKind, owner: set, itemKind: PodKind, candidates, matches });
  }
}
