import type { Deployment, ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import { resolveIntOrPercent } from '../shared/int-or-percent.ts';

export function replicasOf(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1;
}

export function setReplicas(set: ReplicaSet): number {
  return set.spec?.replicas ?? 1;
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== 'Recreate';
}

/** Surge is rounded up, unavailability down; were both 0 nothing could ever move, so one pod may be missing. */
function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { rollingUpdate } = deployment.spec.strategy ?? {};
  const replicas = replicasOf(deployment);
  const surge = resolveIntOrPercent(rollingUpdate?.maxSurge, replicas, { round: 'up' });
  const unavailable = resolveIntOrPercent(rollingUpdate?.maxUnavailable, replicas, { round: 'down' });
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** How many pods may exist beyond the wanted ones. */
export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

/** How many of the wanted pods may be missing. */
export function maxUnavailable(deployment: Deployment): number {
  if (!isRollingUpdate(deployment) || replicasOf(deployment) === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, replicasOf(deployment));
}

export function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + setReplicas(set), 0);
}

export function totalAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

/** How large the newest set may be now, given what all sets together ask for. */
export function newSetSize(deployment: Deployment, newSetReplicas: number, allReplicas: number): number {
  if (!isRollingUpdate(deployment)) return replicasOf(deployment);
  const most = replicasOf(deployment) + maxSurge(deployment);
  if (allReplicas >= most) return newSetReplicas;
  return newSetReplicas + Math.min(most - allReplicas, replicasOf(deployment) - newSetReplicas);
}

/** A set as proportional scaling sees it. */
export interface Share {
  readonly replicas: number;
  /** What the deployment could have at most when this set was last scaled. */
  readonly maxReplicasBefore: number;
}

/**
 * Sizes after the deployment was scaled in the middle of a rollout: what is added or taken away is spread over the
 * sets in proportion to their sizes, so that a rollout keeps its balance. `shares` come in the order in which they are
 * served; rounding leftovers go to the first.
 */
export function proportionalSizes(shares: readonly Share[], deploymentReplicas: number, surge: number): number[] {
  const allowed = deploymentReplicas > 0 ? deploymentReplicas + surge : 0;
  const toAdd = allowed - shares.reduce((sum, share) => sum + share.replicas, 0);
  if (toAdd === 0) return shares.map((share) => share.replicas);
  let added = 0;
  const sizes = shares.map((share) => {
    const remaining = toAdd - added;
    const fraction = fractionOf(share, deploymentReplicas, surge);
    let change = 0;
    if (share.replicas !== 0 && remaining !== 0) {
      change = toAdd > 0 ? Math.min(fraction, remaining) : Math.max(fraction, remaining);
    }
    added += change;
    return share.replicas + change;
  });
  if (sizes.length > 0) sizes[0] = Math.max(0, sizes[0]! + toAdd - added);
  return sizes;
}

function fractionOf(share: Share, deploymentReplicas: number, surge: number): number {
  if (deploymentReplicas === 0) return -share.replicas;
  if (share.maxReplicasBefore === 0) return 0;
  return Math.round((share.replicas * (deploymentReplicas + surge)) / share.maxReplicasBefore) - share.replicas;
}
