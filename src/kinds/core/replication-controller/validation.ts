import { validateControllerPods } from '#kinds/core/pod-template/validation.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import { nonNegative } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';

export function validateReplicationController({ spec }: core.ReplicationController): FieldError[] {
  const { selector } = spec;
  return [
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...(Object.keys(selector ?? {}).length === 0 ? [fieldError.required('spec.selector')] : []),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...validateControllerPods(selector, spec.template),
  ];
}
