import type { ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import { byAge, type DeploymentTurn } from './new-set.ts';
import { maxUnavailable, newSetSize, replicasOf, setReplicas, totalAvailable, totalReplicas } from './proportions.ts';
import { scaleSet } from './scaling.ts';
import type { DeploymentSets } from './status.ts';

type Sets = DeploymentSets & { readonly newSet: ReplicaSet };

/**
 * One step of a rolling update: grow the new set as far as surge allows, or else shrink old sets as far as availability
 * allows. The rest follows when the step shows in the sets' status.
 */
export async function rollingUpdateStep(turn: DeploymentTurn, sets: Sets): Promise<void> {
  if (await growNewSet(turn, sets)) return;
  await shrinkOldSets(turn, sets);
}

async function growNewSet(turn: DeploymentTurn, { deployment, newSet, oldSets }: Sets): Promise<boolean> {
  const current = setReplicas(newSet);
  const wanted = replicasOf(deployment);
  if (current === wanted) return false;
  const size = current > wanted ? wanted : newSetSize(deployment, current, totalReplicas([...oldSets, newSet]));
  if (size === current) return false;
  await scaleSet(turn, deployment, newSet, size);
  return true;
}

async function shrinkOldSets(turn: DeploymentTurn, { deployment, newSet, oldSets }: Sets): Promise<void> {
  if (totalReplicas(oldSets) === 0) return;
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
  const newUnavailable = setReplicas(newSet) - (newSet.status?.availableReplicas ?? 0);
  const mostScaledDown = totalReplicas([...oldSets, newSet]) - minAvailable - newUnavailable;
  if (mostScaledDown <= 0) return;
  // Pods that serve nobody go first: they block the rollout without keeping anything available.
  const sorted = [...oldSets].sort(byAge);
  let unhealthy = 0;
  for (const [index, set] of sorted.entries()) {
    const missing = setReplicas(set) - (set.status?.availableReplicas ?? 0);
    const step = Math.min(mostScaledDown - unhealthy, missing);
    if (step <= 0) continue;
    sorted[index] = await scaleSet(turn, deployment, set, setReplicas(set) - step);
    unhealthy += step;
  }
  let spare = totalAvailable([...oldSets, newSet]) - minAvailable;
  for (const set of sorted) {
    const step = Math.min(setReplicas(set), spare);
    if (step <= 0) continue;
    await scaleSet(turn, deployment, set, setReplicas(set) - step);
    spare -= step;
  }
}
