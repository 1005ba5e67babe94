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
import { keyFor, keyOf, refTo } from '#client/object-key.ts';
import { isPodTerminal } from '#kinds/core/pod/state.ts';
import {
  Deployment as DeploymentKind,
  Pod as PodKind,
  ReplicaSet as ReplicaSetKind,
} from '#kinds/generated/handles.ts';
import type { Deployment, ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { claim } from '../shared/claim.ts';
import { labelMatch } from '../shared/match.ts';
import { controllerNameOf, controllerOf } from '../shared/owners.ts';
import { revisionOf } from './annotations.ts';
import { findCondition, hasProgressDeadline } from './conditions.ts';
import { byAge, createNewSet, type DeploymentTurn, findNewSet, syncNewSet, writeCondition } from './new-set.ts';
import { isRollingUpdate, replicasOf, setReplicas, totalReplicas } from './proportions.ts';
import { rollingUpdateStep } from './rolling-update.ts';
import { isScalingEvent, scaleDeployment, scaleSet } from './scaling.ts';
import { countedStatus, type DeploymentSets, isComplete, rolloutStatus, untilDeadlineMs } from './status.ts';

/** Rolls a Deployment's template out over ReplicaSets, one per template. */
export const deployment = defineController({
  name: 'deployment-controller',
  workers: 5,
  setup(context) {
    const deployments = new Deployments(context);
    return (key, turn) => deployments.reconcile(key, turn);
  },
});

/** Where a history limit says "keep all". */
const keepAll = 2 ** 31 - 1;

class Deployments {
  readonly #context: ControllerContext;
  readonly #deployments: Informer<Deployment>;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#deployments = context.watch(DeploymentKind, (deployment) => [keyOf(deployment)]);
    this.#sets = context.watch(ReplicaSetKind, (set, event) => this.#deploymentsOf(set, event.type === 'deleted'));
    this.#pods = context.watch(PodKind, (pod, event) => {
      // Only Recreate waits for single pods to be gone.
      return event.type === 'deleted' || isPodTerminal(pod) ? this.#recreateDeploymentOf(pod) : [];
    });
    this.#deployments.index('namespace', byNamespace);
    this.#sets.index('controllerUid', byControllerUid);
    this.#sets.index('orphanNamespace', orphanNamespace);
    this.#pods.index('controllerUid', byControllerUid);
  }

  async reconcile(key: string, { client, signal }: Turn): Promise<ReconcileResult> {
    const deployment = this.#deployments.getByKey(key);
    if (deployment === undefined) return done;
    const { environment, events } = this.#context;
    const turn: DeploymentTurn = { client, signal, events, nowMs: environment.clock.now() };
    const { matchLabels = {}, matchExpressions = [] } = deployment.spec.selector;
    if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.';
      events.record(DeploymentKind, deployment, { type: 'Warning', reason: 'SelectingAll', message });
      return done;
    }
    const sets = await this.#claimSets(deployment, turn);
    if (deployment.metadata.deletionTimestamp !== undefined) {
      return await this.#finish(turn, await this.#arrange(turn, deployment, sets, { create: false }), countedStatus);
    }
    const noted = await notePause(turn, deployment);
    if (noted.spec.paused === true || isScalingEvent(noted, sets)) {
      const arranged = await this.#arrange(turn, noted, sets, { create: false });
      await scaleDeployment(turn, arranged);
      if (noted.spec.paused === true) await cleanUp(turn, arranged);
      return await this.#finish(turn, arranged, countedStatus);
    }
    return isRollingUpdate(noted) ? await this.#roll(turn, noted, sets) : await this.#recreate(turn, noted, sets);
  }

  async #roll(turn: DeploymentTurn, deployment: Deployment, sets: readonly ReplicaSet[]): Promise<ReconcileResult> {
    const arranged = await this.#arrange(turn, deployment, sets, { create: true });
    const { newSet } = arranged;
    if (newSet !== undefined) await rollingUpdateStep(turn, { ...arranged, newSet });
    if (isComplete(arranged.deployment, arranged.deployment.status)) await cleanUp(turn, arranged);
    return await this.#finish(turn, arranged, rolloutStatus);
  }

  /** Everything old goes before anything new comes. */
  async #recreate(turn: DeploymentTurn, deployment: Deployment, sets: readonly ReplicaSet[]): Promise<ReconcileResult> {
    let arranged = await this.#arrange(turn, deployment, sets, { create: false });
    const active = arranged.oldSets.filter((set) => setReplicas(set) > 0);
    for (const set of active) await scaleSet(turn, deployment, set, 0);
    if (active.length > 0 || this.#oldPodsRun(arranged)) return await this.#finish(turn, arranged, rolloutStatus);
    if (arranged.newSet === undefined)
      arranged = await this.#arrange(turn, arranged.deployment, sets, { create: true });
    const { newSet } = arranged;
    if (newSet !== undefined && setReplicas(newSet) !== replicasOf(deployment)) {
      await scaleSet(turn, arranged.deployment, newSet, replicasOf(deployment));
    }
    if (isComplete(arranged.deployment, arranged.deployment.status)) await cleanUp(turn, arranged);
    return await this.#finish(turn, arranged, rolloutStatus);
  }

  #oldPodsRun({ oldSets }: DeploymentSets): boolean {
    const pods = this.#pods.index('controllerUid', byControllerUid);
    return oldSets.some(
      (set) => (set.status?.replicas ?? 0) > 0 || pods.get(set.metadata.uid ?? '').some((pod) => !isPodTerminal(pod)),
    );
  }

  /** Tells new from old, with revisions and annotations brought up to date. */
  async #arrange(
    turn: DeploymentTurn,
    deployment: Deployment,
    sets: readonly ReplicaSet[],
    { create }: { readonly create: boolean },
  ): Promise<DeploymentSets> {
    const newSet = findNewSet(deployment, sets);
    const oldSets = sets.filter((set) => set !== newSet);
    if (deployment.metadata.deletionTimestamp !== undefined) return { deployment, newSet, oldSets };
    if (newSet !== undefined) return { ...(await syncNewSet(turn, deployment, newSet, oldSets)), oldSets };
    if (!create) return { deployment, newSet, oldSets };
    return { ...(await createNewSet(turn, deployment, oldSets)), oldSets };
  }

  async #finish(
    turn: DeploymentTurn,
    sets: DeploymentSets,
    statusOf: (sets: DeploymentSets, nowMs: number) => NonNullable<Deployment['status']>,
  ): Promise<ReconcileResult> {
    const { deployment } = sets;
    const status = statusOf(sets, turn.nowMs);
    if (!equalValues(status, deployment.status)) {
      await turn.client.updateStatus(DeploymentKind, { ...deployment, status }, { signal: turn.signal });
    }
    const waitMs = untilDeadlineMs(deployment, status, turn.nowMs);
    return waitMs === undefined ? done : retryAfter(waitMs);
  }

  async #claimSets(deployment: Deployment, turn: DeploymentTurn): Promise<readonly ReplicaSet[]> {
    const { uid = '', namespace = '' } = deployment.metadata;
    const controlled = this.#sets.index('controllerUid', byControllerUid).get(uid);
    const orphans = this.#sets.index('orphanNamespace', orphanNamespace).get(namespace);
    return await claim({
      ...turn,
      ownerKind: DeploymentKind,
      owner: deployment,
      itemKind: ReplicaSetKind,
      candidates: [...controlled, ...orphans],
      matches: labelMatch(deployment.spec.selector),
    });
  }

  #deploymentsOf(set: ReplicaSet, isDeleted: boolean): readonly string[] {
    const { namespace = '' } = set.metadata;
    const controller = controllerOf(set);
    if (controller !== undefined) {
      const name = controllerNameOf(set, DeploymentKind);
      const owner = name === undefined ? undefined : this.#deployments.get(namespace, name);
      return owner?.metadata.uid === controller.uid ? [keyFor(namespace, controller.name)] : [];
    }
    if (isDeleted) return [];
    const candidates = this.#deployments.index('namespace', byNamespace).get(namespace);
    return candidates.filter(({ spec }) => labelMatch(spec.selector)(set.metadata.labels)).map(keyOf);
  }

  #recreateDeploymentOf(pod: Pod): readonly string[] {
    const { namespace = '' } = pod.metadata;
    const setName = controllerNameOf(pod, ReplicaSetKind);
    const set = setName === undefined ? undefined : this.#sets.get(namespace, setName);
    const name = set === undefined ? undefined : controllerNameOf(set, DeploymentKind);
    const owner = name === undefined ? undefined : this.#deployments.get(namespace, name);
    return owner === undefined || isRollingUpdate(owner) ? [] : [keyOf(owner)];
  }
}

/** A paused rollout makes no progress, which must not count against its deadline. */
async function notePause(turn: DeploymentTurn, deployment: Deployment): Promise<Deployment> {
  if (!hasProgressDeadline(deployment)) return deployment;
  const current = findCondition(deployment.status?.conditions, 'Progressing');
  if (current?.reason === 'ProgressDeadlineExceeded') return deployment;
  const wasPaused = current?.reason === 'DeploymentPaused';
  const isPaused = deployment.spec.paused === true;
  if (wasPaused === isPaused) return deployment;
  const note = isPaused
    ? { reason: 'DeploymentPaused', message: 'Deployment is paused' }
    : { reason: 'DeploymentResumed', message: 'Deployment is resumed' };
  return await writeCondition(turn, deployment, { type: 'Progressing', status: 'Unknown', ...note });
}

/** Deletes the oldest sets beyond the history limit, if they are empty and settled. */
async function cleanUp({ client, signal }: DeploymentTurn, { deployment, oldSets }: DeploymentSets): Promise<void> {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined || limit === keepAll) return;
  const alive = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = alive.length - limit;
  if (surplus <= 0) return;
  alive.sort((left, right) => Number(revisionOf(left) - revisionOf(right)) || byAge(left, right));
  for (const set of alive.slice(0, surplus)) {
    const isSettled = (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0);
    if (totalReplicas([set]) > 0 || (set.status?.replicas ?? 0) > 0 || !isSettled) continue;
    await client.delete(ReplicaSetKind, refTo(set), { signal }).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error;
    });
  }
}

function orphanNamespace(set: ReplicaSet): readonly string[] {
  return controllerOf(set) === undefined ? [set.metadata.namespace ?? ''] : [];
}
