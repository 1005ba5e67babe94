import type { Lease } from '#kinds/generated/types/coordination_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { labelKeyProblems } from '#machinery/names.ts';

export function validateLease({ spec = {} }: Lease): FieldError[] {
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder = '' } = spec;
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds <= 0) {
    errors.push(fieldError.invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
  }
  if (transitions !== undefined && transitions < 0) {
    errors.push(fieldError.invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  }
  if (strategy !== undefined) errors.push(...validateStrategy(strategy, 'spec.strategy'));
  if (preferredHolder !== '' && (strategy ?? '') === '') {
    const detail = 'may only be specified if `strategy` is defined';
    errors.push(fieldError.forbidden('spec.preferredHolder', detail));
  }
  return errors;
}

const strategies = ['OldestEmulationVersion'];

/** How the holder is chosen: a strategy of Kubernetes' own, or one with a domain (KEP-4355). */
export function validateStrategy(strategy: string, path: string): FieldError[] {
  if (strategy.includes('/')) return invalidAll(`${path}.strategy`, strategy, labelKeyProblems(strategy));
  return strategies.includes(strategy) ? [] : [fieldError.notSupported(`${path}.strategy`, strategy, strategies)];
}
