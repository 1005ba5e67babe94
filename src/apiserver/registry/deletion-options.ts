import { type FieldError, fieldError, invalid } from '#machinery/errors.ts';
import type { DeletionOptions } from './operation.ts';

const policies = ['Foreground', 'Background', 'Orphan'];

/** What a deletion or an eviction asks for, if it can be done. @throws ApiError 422. */
export function checkDeletion<Options extends DeletionOptions>(options: Options): Options {
  const { propagationPolicy, orphanDependents, dryRun } = options;
  const path = 'propagationPolicy';
  const errors: FieldError[] = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(fieldError.invalid(path, propagationPolicy, detail));
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy))
    errors.push(fieldError.notSupportedInOrder(path, propagationPolicy, [...policies, 'nil']));
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return options;
}

/** A dry run goes through everything (`All`), or it is none. */
export function dryRunErrors(values: readonly string[] = []): readonly FieldError[] {
  return values.every((value) => value === 'All') ? [] : [fieldError.notSupported('dryRun', values, ['All'])];
}
