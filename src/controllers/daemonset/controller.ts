import {
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { byControllerUid, byNamespace } from '#client/object-cache.ts';
import { keyOf } from '#client/object-key.ts';
import { isPodAvailable, isPodReady, isPodTerminating, untilPodAvailableMs } from '#kinds/core/pod/state.ts';
import {
  ControllerRevision as ControllerRevisionKind,
  DaemonSet as DaemonSetKind,
  Node as NodeKind,
  Pod as PodKind,
} from '#kinds/generated/handles.ts';
import type { ControllerRevision, DaemonSet, DaemonSetStatus } from '#kinds/generated/types/apps_v1.ts';
import type { Node, Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { parseTime } from '#machinery/time.ts';
import { claim } from '../shared/claim.ts';
import { labelMatch } from '../shared/match.ts';
import { orphanNamespace, ownersOf } from '../shared/pod-owners.ts';
import { createPod, deletePod } from '../shared/pods.ts';
import { revisionHashLabel, syncRevision, trimRevisions } from '../shared/revisions.ts';
import { slowStart } from '../shared/slow-start.ts';
import { daemonFor, nodeNameOf, placementOn } from './pod.ts';
import { rollingUpdateVictims } from './rolling-update.ts';

/** Pods created or deleted in one turn. */
const burstReplicas = 250;

/** Keeps one pod on every node that a DaemonSet is for. */
export const daemonSet = defineController({
  name: 'daemon-set-controller',
  component: 'daemonset-controller',
  queue: 'daemonset',
  workers: 2,
  setup(context) {
    const sets = new DaemonSets(context);
    return (key, turn) => sets.reconcile(key, turn);
  },
});

class DaemonSets {
  readonly #context: ControllerContext;
  readonly #sets: Informer<DaemonSet>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #revisions: Informer<ControllerRevision>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#sets = context.watch(DaemonSetKind, (set) => [keyOf(set)]);
    this.#sets.index('namespace', byNamespace);
    this.#pods = context.watch(PodKind, (pod, event) => ownersOf(DaemonSetKind, this.#sets, pod, event));
    this.#pods.index('controllerUid', byControllerUid);
    this.#pods.index('orphanNamespace', orphanNamespace);
    this.#revisions = context.watch(ControllerRevisionKind, (item, event) =>
      ownersOf(DaemonSetKind, this.#sets, item, event),
    );
    this.#revisions.index('controllerUid', byControllerUid);
    this.#nodes = context.watch(NodeKind, (node, event) => {
      if (event.type === 'updated' && !mayMovePods(event.old, event.current)) return [];
      // The name alone may decide, too: every set is asked about a node that comes or goes.
      return [...this.#sets.list()].filter((set) => event.type !== 'updated' || placementOn(set, node).stay).map(keyOf);
    });
  }

  async reconcile(key: string, turn: Turn): Promise<ReconcileResult> {
    const set = this.#sets.getByKey(key);
    if (set?.spec === undefined || set.metadata.deletionTimestamp !== undefined) return done;
    const { matchLabels = {}, matchExpressions = [] } = set.spec.selector;
    if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      this.#context.events.record(DaemonSetKind, set, { type: 'Warning', reason: 'SelectingAll', message });
      return done;
    }
    const revisions = this.#revisions.index('controllerUid', byControllerUid).get(set.metadata.uid ?? '');
    const { revision, collisionCount } = await syncRevision(
      turn,
      {
        kind: DaemonSetKind,
        owner: set,
        template: set.spec.template,
        labels: set.spec.template.metadata?.labels ?? {},
        collisionCount: set.status?.collisionCount,
      },
      revisions,
    );
    const hash = revision.metadata.labels?.[revisionHashLabel] ?? '';
    const pods = await this.#claimPods(set, turn);
    const byNode = Map.groupBy(pods, nodeNameOf);
    const failure = await this.#manage(set, byNode, hash, turn);
    await this.#writeStatus(set, byNode, hash, collisionCount, turn);
    const used = new Set(pods.map(({ metadata }) => metadata.labels?.[revisionHashLabel]));
    const isLive = (other: ControllerRevision) =>
      other.metadata.name === revision.metadata.name || used.has(other.metadata.labels?.[revisionHashLabel]);
    await trimRevisions(turn, revisions, isLive, set.spec.revisionHistoryLimit ?? 10);
    if (failure !== undefined) throw failure;
    return this.#nextAvailability(set, pods);
  }

  /** Creates missing daemons and deletes surplus ones; then, when nothing is missing, rolls out the template. */
  async #manage(
    set: DaemonSet,
    byNode: ReadonlyMap<string, readonly Pod[]>,
    hash: string,
    turn: Turn,
  ): Promise<unknown> {
    const missing: string[] = [];
    const surplus: Pod[] = [];
    for (const node of this.#nodes.list()) {
      const name = node.metadata.name ?? '';
      const here = byNode.get(name) ?? [];
      const { run, stay } = placementOn(set, node);
      const active = here.filter((pod) => !isPodTerminating(pod));
      const finished = active.filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Succeeded');
      surplus.push(...finished);
      for (const pod of finished) this.#sayFailed(set, pod, name);
      const alive = active.filter((pod) => !finished.includes(pod));
      if (run && here.length === 0) missing.push(name);
      else if (!stay) surplus.push(...alive);
      else surplus.push(...this.#duplicates(set, alive, hash));
    }
    // Pods whose node is gone are left to the pod garbage collector, which asks twice.
    const write = { ...turn, events: this.#context.events, kind: DaemonSetKind, owner: set };
    const names = missing.slice(0, burstReplicas);
    const { failure } = await slowStart(names.length, async (index) => {
      await createPod(write, daemonFor(set, names[index]!, hash));
    });
    const updating =
      missing.length === 0 && set.spec?.updateStrategy?.type !== 'OnDelete'
        ? rollingUpdateVictims(set, this.#daemonsByNode(set, byNode), hash, this.#context.environment.clock.now())
        : { remove: [], surge: [] };
    const victims = [...new Set([...surplus, ...updating.remove])].slice(0, burstReplicas);
    await Promise.all(victims.map((pod) => deletePod(write, pod)));
    for (const name of updating.surge) await createPod(write, daemonFor(set, name, hash));
    return failure;
  }

  /** During a surge two daemons share a node until the new one is available; else all but the oldest go. */
  #duplicates(set: DaemonSet, alive: readonly Pod[], hash: string): readonly Pod[] {
    if (alive.length < 2) return [];
    const age = ({ metadata }: Pod) => `${metadata.creationTimestamp} ${metadata.name}`;
    const oldestFirst = (pods: readonly Pod[]) => [...pods].sort((left, right) => (age(left) < age(right) ? -1 : 1));
    const surging = (set.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0) !== 0;
    if (!surging) return oldestFirst(alive).slice(1);
    const isNew = ({ metadata }: Pod) => metadata.labels?.[revisionHashLabel] === hash;
    return [...oldestFirst(alive.filter(isNew)).slice(1), ...oldestFirst(alive.filter((pod) => !isNew(pod))).slice(1)];
  }

  #daemonsByNode(set: DaemonSet, byNode: ReadonlyMap<string, readonly Pod[]>): ReadonlyMap<string, readonly Pod[]> {
    const eligible = [...this.#nodes.list()].filter((node) => placementOn(set, node).run);
    return new Map(eligible.map(({ metadata }) => [metadata.name ?? '', byNode.get(metadata.name ?? '') ?? []]));
  }

  #sayFailed(set: DaemonSet, pod: Pod, node: string): void {
    const isFailed = pod.status?.phase === 'Failed';
    const message = isFailed
      ? `Found failed daemon pod ${keyOf(pod)} on node ${node}, will try to kill it`
      : `Found succeeded daemon pod ${keyOf(pod)} on node ${node}, will try to delete it`;
    const note = { type: isFailed ? 'Warning' : 'Normal', message } as const;
    const reason = isFailed ? 'FailedDaemonPod' : 'SucceededDaemonPod';
    this.#context.events.record(DaemonSetKind, set, { ...note, reason });
  }

  async #claimPods(set: DaemonSet, turn: Turn): Promise<readonly Pod[]> {
    const controlled = this.#pods.index('controllerUid', byControllerUid).get(set.metadata.uid ?? '');
    const orphans = this.#pods.index('orphanNamespace', orphanNamespace).get(set.metadata.namespace ?? '');
    return await claim({
      ...turn,
      ownerKind: DaemonSetKind,
      owner: set,
      itemKind: PodKind,
      candidates: [...controlled, ...orphans],
      matches: labelMatch(set.spec?.selector),
    });
  }

  async #writeStatus(
    set: DaemonSet,
    byNode: ReadonlyMap<string, readonly Pod[]>,
    hash: string,
    collisionCount: number | undefined,
    { client, signal }: Turn,
  ): Promise<void> {
    const nowMs = this.#context.environment.clock.now();
    const minReady = set.spec?.minReadySeconds ?? 0;
    const count = { current: 0, desired: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
    for (const node of this.#nodes.list()) {
      const here = (byNode.get(node.metadata.name ?? '') ?? []).filter((pod) => !isPodTerminating(pod));
      if (!placementOn(set, node).run) {
        if (here.length > 0) count.misscheduled++;
        continue;
      }
      count.desired++;
      const oldest = [...here].sort((left, right) => createdMs(left) - createdMs(right))[0];
      if (oldest === undefined) continue;
      count.current++;
      if (here.some(isPodReady)) count.ready++;
      if (here.some((pod) => isPodAvailable(pod, minReady, nowMs))) count.available++;
      if (here.some(({ metadata }) => metadata.labels?.[revisionHashLabel] === hash)) count.updated++;
    }
    const status: DaemonSetStatus = {
      currentNumberScheduled: count.current,
      desiredNumberScheduled: count.desired,
      numberMisscheduled: count.misscheduled,
      numberReady: count.ready,
      observedGeneration: set.metadata.generation ?? 0,
      ...(count.updated === 0 ? {} : { updatedNumberScheduled: count.updated }),
      ...(count.available === 0 ? {} : { numberAvailable: count.available }),
      ...(count.desired === count.available ? {} : { numberUnavailable: count.desired - count.available }),
      ...(collisionCount === undefined ? {} : { collisionCount }),
      ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
    };
    if (equalValues(status, set.status)) return;
    await client.updateStatus(DaemonSetKind, { ...set, status }, { signal });
  }

  #nextAvailability(set: DaemonSet, pods: readonly Pod[]): ReconcileResult {
    const nowMs = this.#context.environment.clock.now();
    const minReady = set.spec?.minReadySeconds ?? 0;
    const waits = pods.map((pod) => untilPodAvailableMs(pod, minReady, nowMs) ?? 0).filter((ms) => ms > 0);
    return waits.length === 0 ? done : retryAfter(Math.min(...waits));
  }
}

function createdMs({ metadata }: Pod): number {
  return parseTime(metadata.creationTimestamp ?? '');
}

function mayMovePods(old: Node, node: Node): boolean {
  return !equalValues(old.metadata.labels, node.metadata.labels) || !equalValues(old.spec, node.spec);
}
