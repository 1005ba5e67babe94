import type { Turn } from '#client/controller.ts';
import type { EventRecorder } from '#client/events.ts';
import { isNamespaceTerminating, messageOf } from '#client/failures.ts';
import { Deployment as DeploymentKind, ReplicaSet as ReplicaSetKind } from '#kinds/generated/handles.ts';
import type { Deployment, ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import type { PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { controllerReference, isControlledBy } from '../shared/owners.ts';
import { canonicalJson, stableHash } from '../shared/template-hash.ts';
import { includesAll, newSetAnnotations, nextRevision, revisionAnnotation } from './annotations.ts';
import { type ConditionNote, findCondition, hasProgressDeadline, progressNote, setCondition } from './conditions.ts';
import { newSetSize, totalReplicas } from './proportions.ts';

const podTemplateHashLabel = 'pod-template-hash';

export interface DeploymentTurn extends Turn {
  readonly events: EventRecorder;
  readonly nowMs: number;
}

/** Oldest first; by name where two are of one second. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
  const order = (set: ReplicaSet) => `${set.metadata.creationTimestamp} ${set.metadata.name}`;
  return order(left) < order(right) ? -1 : 1;
}

/** The set that has the deployment's template; of several (from times without adoption) the oldest. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = comparable(deployment.spec.template);
  return [...sets].sort(byAge).find((set) => comparable(set.spec?.template ?? {}) === wanted);
}

const comparables = new WeakMap<PodTemplateSpec, string>();

/** A template without the label that its ReplicaSet added, as text; remembered, since templates are many and long. */
function comparable(template: PodTemplateSpec): string {
  const known = comparables.get(template);
  if (known !== undefined) return known;
  const { [podTemplateHashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  const text = canonicalJson({ ...template, metadata: { ...template.metadata, labels } });
  comparables.set(template, text);
  return text;
}

function isSameTemplate(deployment: Deployment, set: ReplicaSet): boolean {
  return comparable(set.spec?.template ?? {}) === comparable(deployment.spec.template);
}

/** Revision and annotations of a set that is there already, on it and on the deployment. */
export async function syncNewSet(
  turn: DeploymentTurn,
  deployment: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): Promise<{ readonly deployment: Deployment; readonly newSet: ReplicaSet }> {
  const { client, signal } = turn;
  const revision = nextRevision(oldSets);
  const annotations = newSetAnnotations(deployment, newSet, revision);
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  let current = newSet;
  if (
    !includesAll(newSet.metadata.annotations, annotations) ||
    (newSet.spec?.minReadySeconds ?? 0) !== minReadySeconds
  ) {
    const spec = { ...newSet.spec!, minReadySeconds };
    const wanted = { ...newSet, metadata: { ...newSet.metadata, annotations }, spec };
    current = await client.update(ReplicaSetKind, wanted, { signal });
  }
  const isNoted = findCondition(deployment.status?.conditions, 'Progressing') !== undefined;
  const note = progressNote('FoundNewReplicaSet', `Found new replica set "${current.metadata.name}"`);
  const isNews = hasProgressDeadline(deployment) && !isNoted;
  const updated = await writeRevision(turn, deployment, current, isNews ? note : undefined);
  return { deployment: updated, newSet: current };
}

/** Makes the set for the deployment's template, at the size that the strategy allows now. */
export async function createNewSet(
  turn: DeploymentTurn,
  deployment: Deployment,
  oldSets: readonly ReplicaSet[],
): Promise<{ readonly deployment: Deployment; readonly newSet: ReplicaSet }> {
  const { client, signal } = turn;
  const wanted = newSetFor(deployment, oldSets);
  let newSet: ReplicaSet;
  let isOurs = true;
  try {
    newSet = await client.create(ReplicaSetKind, wanted, { signal });
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) return await reportFailedCreate(turn, deployment, wanted, error);
    newSet = await resolveCollision(turn, deployment, wanted, error);
    isOurs = false;
  }
  const size = newSet.spec?.replicas ?? 0;
  if (isOurs && size > 0) {
    const message = `Scaled up replica set ${newSet.metadata.name} from 0 to ${size}`;
    turn.events.record(DeploymentKind, deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }
  const note = progressNote('NewReplicaSetCreated', `Created new replica set "${newSet.metadata.name}"`);
  const isNews = isOurs && hasProgressDeadline(deployment);
  const updated = await writeRevision(turn, deployment, newSet, isNews ? note : undefined);
  return { deployment: updated, newSet };
}

function newSetFor(deployment: Deployment, oldSets: readonly ReplicaSet[]): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = stableHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [podTemplateHashLabel]: hash };
  const revision = nextRevision(oldSets);
  return {
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: newSetAnnotations(deployment, undefined, revision),
      ownerReferences: [controllerReference(DeploymentKind, deployment)],
    },
    spec: {
      replicas: newSetSize(deployment, 0, totalReplicas(oldSets)),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [podTemplateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** The name is taken: by our own set that the cache did not show, or by another, which calls for another name. */
async function resolveCollision(
  turn: DeploymentTurn,
  deployment: Deployment,
  wanted: ReplicaSet,
  error: unknown,
): Promise<ReplicaSet> {
  const { client, signal } = turn;
  const { name = '', namespace } = wanted.metadata;
  const existing = await client.get(ReplicaSetKind, { name, namespace }, { signal });
  if (isControlledBy(existing, deployment) && isSameTemplate(deployment, existing)) return existing;
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  await client.updateStatus(
    DeploymentKind,
    { ...deployment, status: { ...deployment.status, collisionCount } },
    { signal },
  );
  throw error;
}

async function reportFailedCreate(
  turn: DeploymentTurn,
  deployment: Deployment,
  wanted: ReplicaSet,
  error: unknown,
): Promise<never> {
  if (turn.signal.aborted || isNamespaceTerminating(error)) throw error;
  const message = `Failed to create new replica set "${wanted.metadata.name}": ${messageOf(error)}`;
  const reason = 'ReplicaSetCreateError';
  turn.events.record(DeploymentKind, deployment, { type: 'Warning', reason, message });
  if (hasProgressDeadline(deployment)) {
    await writeCondition(turn, deployment, { type: 'Progressing', status: 'False', reason, message });
  }
  throw error;
}

/** By the door of the status, which lets annotations through: by the other, a change of them is a new generation. */
async function writeRevision(
  turn: DeploymentTurn,
  deployment: Deployment,
  newSet: ReplicaSet,
  note: ConditionNote | undefined,
): Promise<Deployment> {
  const revision = newSet.metadata.annotations?.[revisionAnnotation];
  const { annotations } = deployment.metadata;
  const isKnown = revision === undefined || annotations?.[revisionAnnotation] === revision;
  const noted = note === undefined ? deployment : withCondition(turn, deployment, note);
  if (isKnown) return noted === deployment ? deployment : await writeStatus(turn, noted);
  const metadata = { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } };
  return await writeStatus(turn, { ...noted, metadata });
}

export async function writeCondition(
  turn: DeploymentTurn,
  deployment: Deployment,
  note: ConditionNote,
): Promise<Deployment> {
  const noted = withCondition(turn, deployment, note);
  return noted === deployment ? deployment : await writeStatus(turn, noted);
}

/** @returns the same deployment where it says so already */
function withCondition(turn: DeploymentTurn, deployment: Deployment, note: ConditionNote): Deployment {
  const conditions = setCondition(deployment.status?.conditions ?? [], note, turn.nowMs);
  if (equalValues(conditions, deployment.status?.conditions)) return deployment;
  return { ...deployment, status: { ...deployment.status, conditions } };
}

async function writeStatus({ client, signal }: DeploymentTurn, deployment: Deployment): Promise<Deployment> {
  return await client.updateStatus(DeploymentKind, deployment, { signal });
}
