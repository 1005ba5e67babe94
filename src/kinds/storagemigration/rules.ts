import type { StorageVersionMigration } from '#kinds/generated/types/storagemigration_v1beta1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { immutable } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1035Problems, subdomainProblems } from '#machinery/names.ts';

/** A request to write all objects of a resource anew (KEP-4192). */
export const storageVersionMigrationRules: KindRules<StorageVersionMigration> = {
  validate: ({ spec }) => validateResource(spec?.resource),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec'),
  validateStatusUpdate: validateStatus,
};

function validateResource(target: { readonly group?: string; readonly resource?: string } | undefined): FieldError[] {
  const { group = '', resource = '' } = target ?? {};
  const path = 'spec.resource';
  if (resource === '') return [fieldError.required(`${path}.resource`, 'resource is required to be set')];
  const problems = label1035Problems(resource);
  const errors = problems.length === 0 ? [] : [fieldError.invalid(`${path}.resource`, resource, problems.join(','))];
  const wrong = group === '' ? [] : subdomainProblems(group);
  return wrong.length === 0 ? errors : [...errors, fieldError.invalid(`${path}.group`, group, wrong.join(','))];
}

/** A migration ends once, one way or the other. */
function validateStatus({ status }: StorageVersionMigration, { status: old }: StorageVersionMigration): FieldError[] {
  const { resourceVersion = '', conditions = [] } = status ?? {};
  const errors: FieldError[] = [];
  const before = old?.resourceVersion ?? '';
  if (before !== '' && before !== resourceVersion)
    errors.push(fieldError.invalid('status.resourceVersion', resourceVersion, 'field is immutable'));
  const isTrue = (list: typeof conditions | undefined, type: string): boolean =>
    list?.some((condition) => condition.type === type && condition.status === 'True') === true;
  const wrong = (detail: string): void => {
    errors.push(fieldError.invalid('status.conditions', conditions, detail));
  };
  if (isTrue(conditions, 'Succeeded') && isTrue(conditions, 'Failed'))
    wrong('Both success and failed conditions cannot be true at the same time');
  if (isTrue(old?.conditions, 'Succeeded') && !isTrue(conditions, 'Succeeded'))
    wrong('Success condition cannot be set to false once it is true');
  if (isTrue(old?.conditions, 'Failed') && !isTrue(conditions, 'Failed'))
    wrong('Failed condition cannot be set to false once it is true');
  return errors;
}
