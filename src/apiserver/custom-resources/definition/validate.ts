import type { CustomResourceDefinition } from '#kinds/generated/types/apiextensions_v1.ts';
import type { FieldError } from '#machinery/errors.ts';
import { validateApproval } from './approval.ts';

/** Everything wrong with a new definition. */
export function validateDefinition(definition: CustomResourceDefinition): readonly FieldError[] {
  return [...validateApproval(definition, undefined)];
}

/** Everything wrong with a changed definition. */
export function validateDefinitionUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
): readonly FieldError[] {
  return [...validateApproval(definition, old)];
}
