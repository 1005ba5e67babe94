import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { environmentNameProblems, subdomainProblems } from '#machinery/names.ts';
import { validateFieldSelector, validateKeySelector, validateResourceSelector } from './selectors.ts';

/** Environment variables and the sources of whole sets of them. */
export function validateEnvironment(container: core.Container, path: string): FieldError[] {
  return [
    ...each(container.env, `${path}.env`, validateVariable),
    ...each(container.envFrom, `${path}.envFrom`, validateSource),
  ];
}

function validateVariable({ name = '', value = '', valueFrom }: core.EnvVar, path: string): FieldError[] {
  const errors =
    name === ''
      ? [fieldError.required(`${path}.name`)]
      : invalidAll(`${path}.name`, name, environmentNameProblems(name));
  return valueFrom === undefined ? errors : [...errors, ...validateValueFrom(value, valueFrom, `${path}.valueFrom`)];
}

function validateValueFrom(value: string, source: core.EnvVarSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef !== undefined) errors.push(...validateFieldSelector(fieldRef, `${path}.fieldRef`, 'environment'));
  if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceSelector(resourceFieldRef, `${path}.resourceFieldRef`, 'environment'));
  }
  if (configMapKeyRef !== undefined) errors.push(...validateKeySelector(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef !== undefined) errors.push(...validateKeySelector(secretKeyRef, `${path}.secretKeyRef`));
  if (fileKeyRef !== undefined) {
    for (const field of ['key', 'volumeName', 'path'] as const) {
      if ((fileKeyRef[field] ?? '') === '') errors.push(fieldError.required(`${path}.fileKeyRef.${field}`));
    }
  }
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (part) => part !== undefined,
  ).length;
  if (count === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(fieldError.invalid(path, '', detail));
  } else if (value !== '') {
    errors.push(fieldError.invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(fieldError.invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

function validateSource({ prefix = '', configMapRef, secretRef }: core.EnvFromSource, path: string): FieldError[] {
  const errors = prefix === '' ? [] : invalidAll(`${path}.prefix`, prefix, environmentNameProblems(prefix));
  for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
    if (reference === undefined) continue;
    const { name = '' } = reference;
    if (name === '') errors.push(fieldError.required(`${path}.${field}.name`));
    else errors.push(...invalidAll(`${path}.${field}.name`, name, subdomainProblems(name)));
  }
  if (configMapRef === undefined && secretRef === undefined) {
    errors.push(fieldError.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
  } else if (configMapRef !== undefined && secretRef !== undefined) {
    errors.push(fieldError.invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}
