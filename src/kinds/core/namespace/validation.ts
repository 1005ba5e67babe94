import type * as core from '#kinds/generated/types/core_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { labelKeyProblems } from '#machinery/names.ts';

const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

export function validateNamespace(namespace: core.Namespace): FieldError[] {
  return (namespace.spec?.finalizers ?? []).flatMap((finalizer) => {
    const errors = invalidAll('spec.finalizers', finalizer, labelKeyProblems(finalizer));
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return errors;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    return [...errors, fieldError.invalid('spec.finalizers', finalizer, detail)];
  });
}
