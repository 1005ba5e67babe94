import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { environmentNameProblems, label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { validateFieldSelector, validateKeySelector, validateResourceSelector } from './selectors.ts';
import { noBacksteps } from './volumes.ts';

/** Environment variables and the sources of whole sets of them. */
export function validateEnvironment(container: core.Container, path: string): FieldError[] {
  return [
    ...each(container.env, `${path}.env`, validateVariable),
    ...each(container.envFrom, `${path}.envFrom`, (source, at) => validateSource(source, at, `${path}.envFrom`)),
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
    errors.push(...validateFileKey(fileKeyRef, `${path}.fileKeyRef`));
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

function validateFileKey(
  { key = '', volumeName = '', path: file = '' }: core.FileKeySelector,
  path: string,
): FieldError[] {
  const checked = (field: string, value: string, check: (at: string) => FieldError[]): FieldError[] =>
    value === '' ? [fieldError.required(`${path}.${field}`)] : check(`${path}.${field}`);
  return [
    ...checked('key', key, (at) => invalidAll(at, key, environmentNameProblems(key))),
    ...checked('volumeName', volumeName, (at) => invalidAll(at, volumeName, label1123Problems(volumeName))),
    ...checked('path', file, (at) => noBacksteps(file, at)),
  ];
}

/** Files that variables are read from lie in volumes of the pod that begin empty. */
export function validateFileKeyVolumes(spec: core.PodSpec, path: string): FieldError[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    each<core.Container | core.EphemeralContainer>(spec[field], `${path}.${field}`, (container, at) =>
      each(container.env, `${at}.env`, ({ valueFrom }, place) => {
        const name = valueFrom?.fileKeyRef?.volumeName;
        if (valueFrom?.fileKeyRef === undefined) return [];
        const volume = spec.volumes?.find((one) => one.name === name);
        const where = `${place}.valueFrom.fileKeyRef.volumeName`;
        if (volume === undefined) return [fieldError.notFound(where, name ?? '')];
        if (volume.emptyDir !== undefined) return [];
        return [fieldError.invalid(where, name, 'referenced volume must be of type emptyDir')];
      }),
    ),
  );
}

/** @param list where upstream says that there is not one source, without its place. */
function validateSource(source: core.EnvFromSource, path: string, list: string): FieldError[] {
  const { prefix = '', configMapRef, secretRef } = source;
  const errors = prefix === '' ? [] : invalidAll(`${path}.prefix`, prefix, environmentNameProblems(prefix));
  for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
    if (reference === undefined) continue;
    const { name = '' } = reference;
    if (name === '') errors.push(fieldError.required(`${path}.${field}.name`));
    else errors.push(...invalidAll(`${path}.${field}.name`, name, subdomainProblems(name)));
  }
  if (configMapRef === undefined && secretRef === undefined) {
    errors.push(fieldError.invalid(list, '', 'must specify one of: `configMapRef` or `secretRef`'));
  } else if (configMapRef !== undefined && secretRef !== undefined) {
    errors.push(fieldError.invalid(list, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}
