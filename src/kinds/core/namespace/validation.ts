import type * as core from '#kinds/generated/types/core_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { validateKubeFinalizer } from '#kinds/validation/object-meta.ts';
import type { FieldError } from '#machinery/errors.ts';
import { labelKeyProblems } from '#machinery/names.ts';

export function validateNamespace(namespace: core.Namespace): FieldError[] {
  return (namespace.spec?.finalizers ?? []).flatMap((finalizer) => finalizerErrors(finalizer, 'spec.finalizers'));
}

/** What `finalize` leaves. */
export function validateFinalizedNamespace(namespace: core.Namespace): FieldError[] {
  return (namespace.spec?.finalizers ?? []).flatMap((finalizer, index) =>
    finalizerErrors(finalizer, `spec.finalizers[${index}]`),
  );
}

function finalizerErrors(finalizer: string, path: string): FieldError[] {
  return [...invalidAll(path, finalizer, labelKeyProblems(finalizer)), ...validateKubeFinalizer(finalizer, path)];
}
