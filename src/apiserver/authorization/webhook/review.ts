import type { AccessAttributes } from '../authorizer.ts';

/** The question of a SubjectAccessReview (authorization/v1), without what is empty. */
export function reviewSpec(attributes: AccessAttributes): object {
  const { user, verb, group, version, resource, subresource, namespace, name, path } = attributes;
  const about =
    resource === ''
      ? { nonResourceAttributes: { path, verb } }
      : {
          resourceAttributes: {
            ...filled({ namespace, verb, group, version, resource, subresource, name }),
            ...selectors(attributes),
          },
        };
  return {
    ...about,
    user: user.name,
    groups: user.groups,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

function filled(fields: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

const labelOperators: Readonly<Record<string, string>> = {
  in: 'In',
  '=': 'In',
  '==': 'In',
  notin: 'NotIn',
  '!=': 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

function selectors({ fieldSelector = [], labelSelector = [] }: AccessAttributes): object {
  const fields = fieldSelector.map(({ field, operator, value }) => ({
    key: field,
    operator: operator === '=' ? 'In' : 'NotIn',
    values: [value],
  }));
  const labels = labelSelector.flatMap(({ key, operator, values }) => {
    const known = labelOperators[operator];
    return known === undefined ? [] : [{ key, operator: known, ...(values.length === 0 ? {} : { values }) }];
  });
  return {
    ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  };
}
