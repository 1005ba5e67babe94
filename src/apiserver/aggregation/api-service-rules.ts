import type { APIService } from '#kinds/generated/types/apiregistration_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1035Problems, pathSegmentProblems, subdomainProblems } from '#machinery/names.ts';
import { formatTime } from '#machinery/time.ts';
import { local } from './availability.ts';

/** What an APIService means (apiregistration/v1): which server answers for a group and version. */
export const apiServiceRules: KindRules<APIService> = {
  nameProblems: validateName,
  finalizerRule: 'any',
  hasGeneration: false,
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    if (spec?.service !== undefined) spec.service.port ??= 443;
  },
  // What this server answers for itself needs no checking.
  prepareForCreate(object, { now }) {
    if (object.spec?.service === undefined)
      object.status = { conditions: [{ type: 'Available', lastTransitionTime: formatTime(now), ...local }] };
  },
  validate,
  validateUpdate: () => [],
  validateStatusUpdate: ({ status }) =>
    (status?.conditions ?? []).flatMap(({ status: value }, index) =>
      ['True', 'False', 'Unknown'].includes(value)
        ? []
        : [fieldError.notSupportedInOrder(`status.conditions[${index}].status`, value, ['True', 'False', 'Unknown'])],
    ),
};

/** An APIService is named for what it serves. */
function validateName(name: string, { spec }: APIService): string[] {
  const problems = pathSegmentProblems(name);
  const wanted = `${spec?.version ?? ''}.${spec?.group ?? ''}`;
  if (problems.length > 0 || name === wanted) return problems;
  return [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`];
}

function validate({ spec }: APIService): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { group = '', version = '', service, caBundle = '', insecureSkipTLSVerify = false } = spec ?? {};
  const { groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
  if (group !== '')
    errors.push(...subdomainProblems(group).map((problem) => fieldError.invalid('spec.group', group, problem)));
  else if (version !== 'v1')
    errors.push(fieldError.required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  errors.push(...label1035Problems(version).map((problem) => fieldError.invalid('spec.version', version, problem)));
  const inRange = (field: string, value: number, maximum: number): void => {
    if (value <= 0 || value > maximum)
      errors.push(fieldError.invalid(`spec.${field}`, value, `must be positive and less than ${maximum}`));
  };
  inRange('groupPriorityMinimum', groupPriorityMinimum, 20000);
  inRange('versionPriority', versionPriority, 1000);
  if (service === undefined) {
    if (caBundle !== '')
      errors.push(
        fieldError.invalid(
          'spec.caBundle',
          `${Buffer.from(caBundle, 'base64').length} bytes`,
          'local APIServices may not have a caBundle',
        ),
      );
    if (insecureSkipTLSVerify)
      errors.push(
        fieldError.invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'),
      );
    return errors;
  }
  const { name = '', namespace = '', port = 443 } = service;
  if (namespace === '') errors.push(fieldError.required('spec.service.namespace'));
  if (name === '') errors.push(fieldError.required('spec.service.name'));
  if (port < 1 || port > 65535)
    errors.push(
      fieldError.invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive'),
    );
  if (insecureSkipTLSVerify && caBundle !== '')
    errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  return errors;
}
