import type { Deployment, ReplicaSet } from '#kinds/generated/types/apps_v1.ts';
import { maxSurge } from './proportions.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';
/** The deployment's replicas when this set was last scaled: how a change of scale is noticed. */
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas';
/** The same plus surge. */
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas';

/** The longest revision history kept in a ReplicaSet's annotation, in characters. */
const longestHistory = 2_000;

/** Annotations of a Deployment that its ReplicaSets do not take over. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  'deprecated.deployment.rollback.to',
]);

type Annotations = Readonly<Record<string, string>>;

/** A revision is a whole number of 64 bits; what is none counts as 0. */
export function revisionOf(object: { readonly metadata: { readonly annotations?: Annotations } }): bigint {
  const text = object.metadata.annotations?.[revisionAnnotation] ?? '';
  return /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}

/** One more than the highest of these. */
export function nextRevision(sets: readonly ReplicaSet[]): bigint {
  let highest = 0n;
  for (const set of sets) {
    const revision = revisionOf(set);
    if (revision > highest) highest = revision;
  }
  return highest + 1n;
}

/** What the newest ReplicaSet's annotations should be at `revision`; a revision never goes down. */
export function newSetAnnotations(deployment: Deployment, set: ReplicaSet | undefined, revision: bigint): Annotations {
  const annotations: Record<string, string> = { ...set?.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!notCopied.has(key)) annotations[key] = value;
  }
  const before = annotations[revisionAnnotation];
  if (set === undefined || revisionOf(set) < revision) {
    annotations[revisionAnnotation] = String(revision);
    if (set !== undefined && before !== undefined) {
      annotations[revisionHistoryAnnotation] = extendHistory(annotations[revisionHistoryAnnotation], before);
    }
  }
  return set === undefined ? { ...annotations, ...replicaAnnotations(deployment) } : annotations;
}

/** The oldest revisions fall out when the history grows too long. */
function extendHistory(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === '' ? [] : history.split(',');
  revisions.push(revision);
  while (revisions.length > 1 && revisions.join(',').length > longestHistory) revisions.shift();
  return revisions.join(',');
}

export function replicaAnnotations(deployment: Deployment): Annotations {
  const replicas = deployment.spec.replicas ?? 1;
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + maxSurge(deployment)),
  };
}

/** A number from one of the annotations above; undefined when it is not there. */
export function annotatedNumber(set: ReplicaSet, annotation: string): number | undefined {
  const text = set.metadata.annotations?.[annotation];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

export function includesAll(annotations: Annotations | undefined, wanted: Annotations): boolean {
  return Object.entries(wanted).every(([key, value]) => annotations?.[key] === value);
}
