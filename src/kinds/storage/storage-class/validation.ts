import type { StorageClass } from '#kinds/generated/types/storage_v1.ts';
import { validateParameters, validateProvisioner, validateTopologies } from '#kinds/storage/validation.ts';
import { immutable, oneOf } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError, GoMap } from '#machinery/errors.ts';

export function validateStorageClass(storage: StorageClass): FieldError[] {
  const { provisioner, volumeBindingMode, allowedTopologies, parameters } = storage;
  const errors = [
    ...validateProvisioner(provisioner, 'provisioner'),
    ...validateParameters(parameters),
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
