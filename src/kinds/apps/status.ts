import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { ReplicationController } from '#kinds/generated/types/core_v1.ts';
import { nonNegative } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';

/** The counts that a controller reports must agree with one another. */

type Counts = Readonly<Record<string, unknown>>;

const countOf = (status: Counts, field: string): number => (status[field] as number | undefined) ?? 0;

function allNonNegative(status: Counts, fields: readonly string[]): FieldError[] {
  return fields.flatMap((field) => nonNegative(status[field] as number | undefined, `status.${field}`));
}

/** Each count is part of another. */
function notMore(status: Counts, field: string, than: string, called = `status.${than}`): FieldError[] {
  const value = countOf(status, field);
  if (value <= countOf(status, than)) return [];
  return [fieldError.invalid(`status.${field}`, value, `cannot be greater than ${called}`)];
}

function collisions(status: Counts, old: Counts): FieldError[] {
  const value = countOf(status, 'collisionCount');
  if (old['collisionCount'] === undefined || value >= countOf(old, 'collisionCount')) return [];
  return [fieldError.invalid('status.collisionCount', value, 'cannot be decremented')];
}

const countsOf = ({ status }: { readonly status?: object }): Counts => (status ?? {}) as Counts;

export function validateReplicaSetStatus(set: apps.ReplicaSet | ReplicationController): FieldError[] {
  const status = countsOf(set);
  const fields = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];
  return [
    ...allNonNegative(status, [...fields, 'terminatingReplicas', 'observedGeneration']),
    ...['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'].flatMap((field) =>
      notMore(status, field, 'replicas'),
    ),
    ...notMore(status, 'availableReplicas', 'readyReplicas', 'readyReplicas'),
  ];
}

export function validateDeploymentStatus(deployment: apps.Deployment, old: apps.Deployment): FieldError[] {
  const status = countsOf(deployment);
  const parts = ['updatedReplicas', 'readyReplicas', 'availableReplicas'];
  const others = ['unavailableReplicas', 'terminatingReplicas', 'collisionCount'];
  return [
    ...allNonNegative(status, ['observedGeneration', 'replicas', ...parts, ...others]),
    ...parts.flatMap((field) => notMore(status, field, 'replicas')),
    ...notMore(status, 'availableReplicas', 'readyReplicas', 'readyReplicas'),
    ...collisions(status, countsOf(old)),
  ];
}

export function validateStatefulSetStatus(set: apps.StatefulSet, old: apps.StatefulSet): FieldError[] {
  const status = countsOf(set);
  const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];
  return [
    ...allNonNegative(status, ['replicas', ...parts, 'observedGeneration', 'collisionCount']),
    ...parts.flatMap((field) => notMore(status, field, 'replicas')),
    ...notMore(status, 'availableReplicas', 'readyReplicas'),
    ...collisions(status, countsOf(old)),
  ];
}

export function validateDaemonSetStatus(set: apps.DaemonSet, old: apps.DaemonSet): FieldError[] {
  const status = countsOf(set);
  return [
    ...allNonNegative(status, [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ]),
    ...collisions(status, countsOf(old)),
  ];
}
