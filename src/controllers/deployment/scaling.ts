import { Deployment as DeploymentKind, ReplicaSet as ReplicaSetKind } from '#kinds/generated/handles.ts';
import type { Deployment, ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import {
  annotatedNumber,
  desiredReplicasAnnotation,
  includesAll,
  maxReplicasAnnotation,
  replicaAnnotations,
} from './annotations.ts';
import { byAge, type DeploymentTurn } from './new-set.ts';
import { isRollingUpdate, maxSurge, proportionalSizes, replicasOf, setReplicas } from './proportions.ts';
import type { DeploymentSets } from './status.ts';

/** Sets the size, and notes what it was derived from. Says so when the size changes. */
export async function scaleSet(
  turn: DeploymentTurn,
  deployment: Deployment,
  set: ReplicaSet,
  replicas: number,
): Promise<ReplicaSet> {
  const before = setReplicas(set);
  const annotations = replicaAnnotations(deployment);
  if (before === replicas && includesAll(set.metadata.annotations, annotations)) return set;
  const wanted: ReplicaSet = {
    ...set,
    metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...annotations } },
    spec: { ...set.spec!, replicas },
  };
  const scaled = await turn.client.update(ReplicaSetKind, wanted, { signal: turn.signal });
  if (before !== replicas) {
    const direction = before < replicas ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`;
    turn.events.record(DeploymentKind, deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }
  return scaled;
}

/** Whether the deployment's size changed since its sets were last scaled. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = annotatedNumber(set, desiredReplicasAnnotation);
    return setReplicas(set) > 0 && desired !== undefined && desired !== replicasOf(deployment);
  });
}

/** Follows a change of the deployment's size without rolling out anything: also in the middle of a rollout, or paused. */
export async function scaleDeployment(turn: DeploymentTurn, sets: DeploymentSets): Promise<void> {
  const { deployment, newSet, oldSets } = sets;
  const replicas = replicasOf(deployment);
  const single = activeOrLatest(sets);
  if (single !== undefined) {
    if (setReplicas(single) !== replicas) await scaleSet(turn, deployment, single, replicas);
    return;
  }
  const activeOld = oldSets.filter((set) => setReplicas(set) > 0);
  if (newSet !== undefined && isSaturated(deployment, newSet)) {
    for (const set of activeOld) await scaleSet(turn, deployment, set, 0);
    return;
  }
  if (!isRollingUpdate(deployment)) return;
  const active = newSet !== undefined && setReplicas(newSet) > 0 ? [...activeOld, newSet] : activeOld;
  const total = active.reduce((sum, set) => sum + setReplicas(set), 0);
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0;
  // Growing serves the larger and newer sets first, shrinking the larger and older ones.
  const age = allowed >= total ? (left: ReplicaSet, right: ReplicaSet) => byAge(right, left) : byAge;
  active.sort((left, right) => setReplicas(right) - setReplicas(left) || age(left, right));
  const shares = active.map((set) => ({
    replicas: setReplicas(set),
    maxReplicasBefore: annotatedNumber(set, maxReplicasAnnotation) ?? deployment.status?.replicas ?? 0,
  }));
  const sizes = proportionalSizes(shares, replicas, maxSurge(deployment));
  for (const [index, set] of active.entries()) await scaleSet(turn, deployment, set, sizes[index]!);
}

/** The only set with pods, or, when there is none, the newest; undefined when there are several. */
function activeOrLatest({ newSet, oldSets }: DeploymentSets): ReplicaSet | undefined {
  const sets = [...oldSets].sort(byAge);
  if (newSet !== undefined) sets.push(newSet);
  const active = sets.filter((set) => setReplicas(set) > 0);
  return active.length === 0 ? sets.at(-1) : active.length === 1 ? active[0] : undefined;
}

function isSaturated(deployment: Deployment, newSet: ReplicaSet): boolean {
  const replicas = replicasOf(deployment);
  return (
    annotatedNumber(newSet, desiredReplicasAnnotation) === replicas &&
    setReplicas(newSet) === replicas &&
    (newSet.status?.availableReplicas ?? 0) === replicas
  );
}
