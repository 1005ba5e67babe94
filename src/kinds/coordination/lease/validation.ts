import type { Lease } from '#kinds/generated/types/coordination_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';

export function validateLease({ spec = {} }: Lease): FieldError[] {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder = '' } = spec;
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds <= 0) {
    errors.push(fieldError.invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  }
  if (transitions !== undefined && transitions < 0) {
    errors.push(fieldError.invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  }
  if (preferredHolder !== '' && (strategy ?? '') === '') {
    const detail = 'may only be specified if `strategy` is defined';
    errors.push(fieldError.forbidden('spec.preferredHolder', detail));
  }
  return errors;
}
