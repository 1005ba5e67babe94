import type { PodDisruptionBudget } from '#kinds/generated/types/policy_v1.ts';
import type { PriorityClass } from '#kinds/generated/types/scheduling_v1.ts';
import type { StorageClass } from '#kinds/generated/types/storage_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { validateParameters, validateProvisioner, validateTopologies } from '#kinds/storage/validation.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError, GoMap } from '#machinery/errors.ts';
import { percentProblems } from '#machinery/names.ts';
import {
  immutable,
  invalidAll,
  nonNegative,
  notMoreThanAll,
  oneOf,
  oneOfInOrder,
  validateLabelSelector,
} from './common.ts';

/** Validation of kinds with little to check. */

const highestUserPriority = 1_000_000_000;
const systemClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export function validatePriorityClass(priority: PriorityClass): FieldError[] {
  const { name = '' } = priority.metadata;
  const value = priority.value ?? 0;
  const errors: FieldError[] = [];
  if (name.startsWith('system-')) {
    if (systemClasses[name] !== value) {
      const why = Object.hasOwn(systemClasses, name)
        ? `value of ${name} PriorityClass must be ${systemClasses[name]}`
        : `${name} is not a known system priority class`;
      const detail = `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`;
      errors.push(fieldError.forbidden('metadata.name', detail));
    }
  } else if (value > highestUserPriority) {
    const detail = `maximum allowed value of a user defined priority is ${highestUserPriority}`;
    errors.push(fieldError.forbidden('value', detail));
  }
  const { preemptionPolicy: policy } = priority;
  if (policy === '') return [...errors, fieldError.required('preemptionPolicy')];
  return [...errors, ...oneOfInOrder(policy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy')];
}

export function validatePriorityClassUpdate(priority: PriorityClass, old: PriorityClass): FieldError[] {
  const isSame = (priority.value ?? 0) === (old.value ?? 0);
  return [
    ...(isSame ? [] : [fieldError.forbidden('value', 'may not be changed in an update.')]),
    ...immutable(priority.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy'),
  ];
}

export function validateStorageClass(storage: StorageClass): FieldError[] {
  const { provisioner, volumeBindingMode, allowedTopologies, parameters } = storage;
  const errors = [
    ...validateProvisioner(provisioner, 'provisioner'),
    ...validateParameters(parameters, true),
    ...(storage.reclaimPolicy === '' ? [] : oneOf(storage.reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy')),
  ];
  if (volumeBindingMode === undefined) errors.push(fieldError.required('volumeBindingMode'));
  else errors.push(...oneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode'));
  return [...errors, ...validateTopologies(allowedTopologies, 'allowedTopologies')];
}

export function validateStorageClassUpdate(storage: StorageClass, old: StorageClass): FieldError[] {
  const { parameters } = storage;
  return [
    ...(equalValues(parameters, old.parameters)
      ? []
      : [fieldError.invalid('parameters', parameters && new GoMap(parameters), 'field is immutable')]),
    ...(['provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((field) =>
      immutable(storage[field], old[field], field),
    ),
  ];
}

export function validatePodDisruptionBudget({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(
      fieldError.invalid(
        'spec',
        goStruct('policy.PodDisruptionBudgetSpec', spec),
        'minAvailable and maxUnavailable cannot be both set',
      ),
    );
  }
  for (const [field, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue;
    const amount =
      typeof value === 'number'
        ? nonNegative(value, `spec.${field}`)
        : invalidAll(`spec.${field}`, value, percentProblems(value));
    errors.push(...amount, ...notMoreThanAll(value, `spec.${field}`));
  }
  const policies = ['AlwaysAllow', 'IfHealthyBudget'];
  return [
    ...errors,
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...oneOf(spec.unhealthyPodEvictionPolicy, policies, 'spec.unhealthyPodEvictionPolicy'),
  ];
}
