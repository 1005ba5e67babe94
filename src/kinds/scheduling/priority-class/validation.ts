import type { PriorityClass } from '#kinds/generated/types/scheduling_v1.ts';
import { immutable, oneOfInOrder } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';

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
