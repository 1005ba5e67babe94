import type { IPAddress } from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { pathSegmentProblems, subdomainProblems } from '#machinery/names.ts';

/** An address that is taken, by whom its name does not say (KEP-1880). */
export const ipAddressRules: KindRules<IPAddress> = {
  nameRule: 'ip',
  keepsGenerateName: true,
  hasGeneration: false,
  validate: ({ spec }) => validateParent(spec?.parentRef),
  validateUpdate: ({ spec }, { spec: old }) =>
    equalValues(spec?.parentRef, old?.parentRef)
      ? []
      : [fieldError.invalid('spec.parentRef', asUpstreamPrints(spec?.parentRef), 'field is immutable')],
};

/** Errors show the reference under the names of upstream's own type. */
function asUpstreamPrints(parent: NonNullable<IPAddress['spec']>['parentRef'] | undefined): object | null {
  if (parent === undefined) return null;
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  return { Group: group, Resource: resource, Namespace: namespace, Name: name };
}

function validateParent(parent: NonNullable<IPAddress['spec']>['parentRef'] | undefined): FieldError[] {
  const path = 'spec.parentRef';
  if (parent === undefined) return [fieldError.required(path)];
  const { group = '', resource = '', name = '', namespace = '' } = parent;
  const segment = (field: string, value: string): FieldError[] =>
    value === ''
      ? [fieldError.required(`${path}.${field}`)]
      : invalidAll(`${path}.${field}`, value, pathSegmentProblems(value));
  return [
    ...(group === '' ? [] : invalidAll(`${path}.group`, group, subdomainProblems(group))),
    ...segment('resource', resource),
    ...segment('name', name),
    ...(namespace === '' ? [] : segment('namespace', namespace)),
  ];
}
