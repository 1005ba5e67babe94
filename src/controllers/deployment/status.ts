import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import { parseTime } from '#machinery/time.ts';
import {
  findCondition,
  hasProgressDeadline,
  progressNote,
  removeCondition,
  replaceCondition,
  setCondition,
} from './conditions.ts';
import { maxUnavailable, replicasOf, totalAvailable } from './proportions.ts';

export interface DeploymentSets {
  readonly deployment: Deployment;
  readonly newSet: ReplicaSet | undefined;
  readonly oldSets: readonly ReplicaSet[];
}

function allSets({ newSet, oldSets }: DeploymentSets): readonly ReplicaSet[] {
  return newSet === undefined ? oldSets : [...oldSets, newSet];
}

const sum = (sets: readonly ReplicaSet[], of: (status: NonNullable<ReplicaSet['status']>) => number | undefined) =>
  sets.reduce((total, set) => total + (set.status === undefined ? 0 : (of(set.status) ?? 0)), 0);

/** The status that the sets amount to, with `Available` set and the other conditions as they were. */
export function countedStatus(sets: DeploymentSets, nowMs: number): DeploymentStatus {
  const { deployment, newSet } = sets;
  const all = allSets(sets);
  const replicas = sum(all, (status) => status.replicas);
  const available = totalAvailable(all);
  const enough = available >= replicasOf(deployment) - maxUnavailable(deployment);
  const conditions = setCondition(
    deployment.status?.conditions ?? [],
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    nowMs,
  );
  const { collisionCount } = deployment.status ?? {};
  return {
    ...withoutZeros({
      replicas,
      updatedReplicas: newSet?.status?.replicas ?? 0,
      readyReplicas: sum(all, (status) => status.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, replicas - available),
    }),
    terminatingReplicas: sum(all, (status) => status.terminatingReplicas),
    observedGeneration: deployment.metadata.generation ?? 0,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions,
  };
}

/** Adds what the rollout's progress means: `Progressing` and `ReplicaFailure`. */
export function rolloutStatus(sets: DeploymentSets, nowMs: number): DeploymentStatus {
  const { deployment, newSet } = sets;
  const status = countedStatus(sets, nowMs);
  let conditions = status.conditions ?? [];
  const current = findCondition(conditions, 'Progressing');
  if (!hasProgressDeadline(deployment)) conditions = removeCondition(conditions, 'Progressing');
  // Once complete, only a new template or a lost pod makes it progress again: scaling does not.
  const wasComplete = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable';
  if (hasProgressDeadline(deployment) && !wasComplete) {
    const what =
      newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
    conditions = progress(deployment, { ...status, conditions }, what, nowMs);
  }
  const failure = replicaFailure(sets);
  const withoutFailure = removeCondition(conditions, 'ReplicaFailure');
  if (failure === undefined) conditions = withoutFailure;
  else conditions = setCondition(conditions, { ...failure, type: 'ReplicaFailure', status: 'True' }, nowMs);
  return { ...status, conditions };
}

function progress(
  deployment: Deployment,
  status: DeploymentStatus,
  what: string,
  nowMs: number,
): readonly DeploymentCondition[] {
  const conditions = status.conditions ?? [];
  if (isComplete(deployment, status)) {
    const message = `${what} has successfully progressed.`;
    const note = progressNote('NewReplicaSetAvailable', message);
    return setCondition(conditions, note, nowMs);
  }
  if (isProgressing(deployment, status)) {
    const message = `${what} is progressing.`;
    // Renewed although nothing else changes: the deadline counts from the last progress.
    const note = progressNote('ReplicaSetUpdated', message);
    return replaceCondition(conditions, note, nowMs);
  }
  if (isTimedOut(deployment, status, nowMs)) {
    const message = `${what} has timed out progressing.`;
    const note = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message } as const;
    return setCondition(conditions, note, nowMs);
  }
  return conditions;
}

/** Every pod is of the newest template, available, and no old one is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus | undefined): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(deployment: Deployment, status: DeploymentStatus): boolean {
  const old = deployment.status ?? {};
  const count = (value: number | undefined) => value ?? 0;
  return (
    count(status.updatedReplicas) > count(old.updatedReplicas) ||
    count(status.replicas) - count(status.updatedReplicas) < count(old.replicas) - count(old.updatedReplicas) ||
    count(status.readyReplicas) > count(old.readyReplicas) ||
    count(status.availableReplicas) > count(old.availableReplicas)
  );
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const condition = findCondition(status.conditions, 'Progressing');
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return deadlineMs(deployment, condition) < nowMs;
}

function deadlineMs(deployment: Deployment, condition: DeploymentCondition): number {
  return parseTime(condition.lastUpdateTime ?? '') + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
}

/** Milliseconds until the rollout must be looked at again for its deadline; undefined when there is none to miss. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = findCondition(status.conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || condition === undefined) return undefined;
  if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  // A second more, since times in the API have no fraction.
  return Math.max(0, deadlineMs(deployment, condition) - nowMs) + 1000;
}

function replicaFailure({ newSet, oldSets }: DeploymentSets) {
  const sets = newSet === undefined ? oldSets : [newSet, ...oldSets];
  for (const set of sets) {
    const condition = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    if (condition?.status === 'True') return { reason: condition.reason ?? '', message: condition.message ?? '' };
  }
  return undefined;
}

/** Zero counts are left out, as Kubernetes writes them. */
function withoutZeros<T extends Readonly<Record<string, number>>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<T>;
}
