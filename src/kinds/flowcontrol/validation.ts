import type * as flowcontrol from '#kinds/generated/types/flowcontrol_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll, oneOf } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { mandatoryLevels, mandatorySchemas } from './mandatory.ts';

const maxPrecedence = 10_000;
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const subjectKinds = ['Group', 'ServiceAccount', 'User'];

export function validateFlowSchema({ metadata, spec, status }: flowcontrol.FlowSchema): FieldError[] {
  const { name = '' } = metadata;
  const errors = validateSchemaSpec(name, spec);
  const fixed = Object.hasOwn(mandatorySchemas, name) ? mandatorySchemas[name] : undefined;
  if (fixed !== undefined && !equalValues(spec, fixed))
    errors.push(fieldError.invalid('spec', spec, `spec of '${name}' must equal the fixed value`));
  return [...errors, ...validateConditions(status?.conditions)];
}

function validateSchemaSpec(name: string, spec: flowcontrol.FlowSchemaSpec | undefined): FieldError[] {
  const {
    matchingPrecedence: precedence = 0,
    distinguisherMethod,
    priorityLevelConfiguration,
    rules,
  } = spec ?? ({} as Partial<flowcontrol.FlowSchemaSpec>);
  const path = 'spec.matchingPrecedence';
  const errors: FieldError[] = [];
  if (precedence <= 0) errors.push(fieldError.invalid(path, precedence, 'must be a positive value'));
  if (precedence > maxPrecedence)
    errors.push(fieldError.invalid(path, precedence, `must not be greater than ${maxPrecedence}`));
  if (precedence === 1 && name !== 'exempt')
    errors.push(fieldError.invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const methods = ['ByNamespace', 'ByUser'];
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type))
    errors.push(
      fieldError.notSupported(
        'spec.distinguisherMethod.type',
        goStruct('flowcontrol.FlowDistinguisherMethod', distinguisherMethod),
        methods,
      ),
    );
  const level = priorityLevelConfiguration?.name ?? '';
  const at = 'spec.priorityLevelConfiguration.name';
  if (level === '') errors.push(fieldError.required(at, 'must reference a priority level'));
  else errors.push(...invalidAll(at, level, subdomainProblems(level)));
  return [...errors, ...each(rules, 'spec.rules', validateRule)];
}

function validateRule(rule: flowcontrol.PolicyRulesWithSubjects, path: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  const errors =
    subjects.length > 0
      ? each(subjects, `${path}.subjects`, validateSubject)
      : [fieldError.required(`${path}.subjects`, 'subjects must contain at least one value')];
  if (resourceRules.length + nonResourceRules.length === 0) {
    const detail = 'at least one of resourceRules and nonResourceRules has to be non-empty';
    errors.push(fieldError.required(path, detail));
  }
  return [
    ...errors,
    ...each(resourceRules, `${path}.resourceRules`, validateResourceRule),
    ...each(nonResourceRules, `${path}.nonResourceRules`, validatePathRule),
  ];
}

const subjectFields = { serviceAccount: 'ServiceAccount', user: 'User', group: 'Group' } as const;

function validateSubject(subject: flowcontrol.Subject, path: string): FieldError[] {
  const own = Object.entries(subjectFields).find(([, kind]) => kind === subject.kind)?.[0];
  if (own === undefined) return oneOf(subject.kind ?? '', subjectKinds, `${path}.kind`);
  const others = Object.entries(subjectFields).filter(
    ([field]) => field !== own && subject[field as keyof typeof subjectFields] !== undefined,
  );
  return [
    ...validateSubjectField(subject, own as keyof typeof subjectFields, `${path}.${own}`),
    ...others.map(([field, kind]) =>
      fieldError.forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${kind}'`),
    ),
  ];
}

function validateSubjectField(
  subject: flowcontrol.Subject,
  field: keyof typeof subjectFields,
  path: string,
): FieldError[] {
  const value = subject[field];
  if (value === undefined)
    return [fieldError.required(path, `${field} is required when subject kind is '${subjectFields[field]}'`)];
  const { name = '' } = value;
  const errors = name === '' ? [fieldError.required(`${path}.name`)] : [];
  if (field !== 'serviceAccount') return errors;
  if (name !== '' && name !== '*') errors.push(...invalidAll(`${path}.name`, name, subdomainProblems(name)));
  const { namespace = '' } = subject.serviceAccount!;
  if (namespace === '')
    errors.push(fieldError.required(`${path}.namespace`, 'must specify namespace for service account'));
  else errors.push(...invalidAll(`${path}.namespace`, namespace, label1123Problems(namespace)));
  return errors;
}

function validateVerbs(wanted: readonly string[] = [], path: string): FieldError[] {
  if (wanted.length === 0) return [fieldError.required(path, 'verbs must contain at least one value')];
  if (wanted.includes('*'))
    return wanted.length > 1
      ? [fieldError.invalid(path, wanted, "if '*' is present, must not specify other verbs")]
      : [];
  return wanted.every((verb) => verbs.includes(verb)) ? [] : [fieldError.notSupported(path, wanted, verbs)];
}

function validateList(
  values: readonly string[] = [],
  path: string,
  words: { readonly missing: string; readonly others: string },
): FieldError[] {
  if (values.length === 0) return [fieldError.required(path, words.missing)];
  return values.length > 1 && values.includes('*')
    ? [fieldError.invalid(path, values, `if '*' is present, must not specify other ${words.others}`)]
    : [];
}

function validateResourceRule(rule: flowcontrol.ResourcePolicyRule, path: string): FieldError[] {
  const { namespaces = [], clusterScope = false } = rule;
  const at = `${path}.namespaces`;
  const inNamespaces = (): FieldError[] => {
    if (namespaces.length === 0 && !clusterScope) {
      const detail = 'resource rules that are not cluster scoped must supply at least one namespace';
      return [fieldError.required(at, detail)];
    }
    if (namespaces.includes('*'))
      return namespaces.length > 1
        ? [fieldError.invalid(at, namespaces, "if '*' is present, must not specify other namespaces")]
        : [];
    return each(namespaces, at, (namespace, place) =>
      label1123Problems(namespace).map((problem) =>
        fieldError.invalid(place, namespace, `each member of this list must be '*' or a DNS-1123 label; ${problem}`),
      ),
    );
  };
  return [
    ...validateVerbs(rule.verbs, `${path}.verbs`),
    ...validateList(rule.apiGroups, `${path}.apiGroups`, {
      missing: 'resource rules must supply at least one api group',
      others: 'api groups',
    }),
    ...validateList(rule.resources, `${path}.resources`, {
      missing: 'resource rules must supply at least one resource',
      others: 'resources',
    }),
    ...inNamespaces(),
  ];
}

function validatePathRule(rule: flowcontrol.NonResourcePolicyRule, path: string): FieldError[] {
  const { nonResourceURLs: urls = [] } = rule;
  const at = `${path}.nonResourceURLs`;
  const errors = [
    ...validateVerbs(rule.verbs, `${path}.verbs`),
    ...validateList(urls, at, {
      missing: 'nonResourceURLs must contain at least one value',
      others: 'non-resource URLs',
    }),
  ];
  if (urls.includes('*')) return errors;
  return [
    ...errors,
    ...each(urls, at, (url, place) => {
      const problem = urlProblem(url);
      return problem === undefined ? [] : [fieldError.invalid(place, url, problem)];
    }),
  ];
}

function urlProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (path === '/') return undefined;
  if (!path.startsWith('/')) return 'must start with slash';
  if (path.includes(' ')) return 'must not contain white-space';
  if (path.includes('//')) return 'must not contain double slash';
  const stars = path.split('*').length - 1;
  return stars > 1 || (stars === 1 && !path.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}

export function validateConditions(conditions: readonly { readonly type?: string }[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return each(conditions, 'status.conditions', ({ type = '' }, path) => {
    const errors = seen.has(type) ? [fieldError.duplicate(`${path}.type`, type)] : [];
    seen.add(type);
    return type === '' ? [...errors, fieldError.required(`${path}.type`)] : errors;
  });
}

export function validatePriorityLevel(level: flowcontrol.PriorityLevelConfiguration): FieldError[] {
  const { metadata, spec, status } = level;
  const { name = '' } = metadata;
  const errors = validateLevelSpec(name, spec);
  const fixed = Object.hasOwn(mandatoryLevels, name) ? mandatoryLevels[name] : undefined;
  if (name === 'exempt' && fixed !== undefined) {
    if (!equalValues({ ...spec, exempt: fixed.exempt }, fixed)) {
      const detail = `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`;
      errors.push(fieldError.invalid('spec', spec, detail));
    }
  } else if (fixed !== undefined && !equalValues(spec, fixed))
    errors.push(fieldError.invalid('spec', spec, `spec of '${name}' must equal the fixed value`));
  return [...errors, ...validateConditions(status?.conditions)];
}

function validateLevelSpec(name: string, spec: flowcontrol.PriorityLevelConfigurationSpec | undefined): FieldError[] {
  const { type = '', exempt, limited } = spec ?? {};
  const errors: FieldError[] = [];
  if ((name === 'exempt') !== (type === 'Exempt'))
    errors.push(fieldError.invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  if (type === 'Exempt') {
    if (limited !== undefined)
      errors.push(fieldError.forbidden('spec.limited', 'must be nil if the type is not Limited'));
    const path = 'spec.exempt';
    return [...errors, ...validateShares(exempt ?? {}, path), ...validateLending(exempt ?? {}, path)];
  }
  if (type !== 'Limited') return [...errors, fieldError.notSupported('spec.type', type, ['Exempt', 'Limited'])];
  if (exempt !== undefined) errors.push(fieldError.forbidden('spec.exempt', 'must be nil if the type is Limited'));
  if (limited === undefined)
    return [...errors, fieldError.required('spec.limited', 'must not be empty when type is Limited')];
  const borrowing = limited.borrowingLimitPercent;
  errors.push(
    ...validateShares(limited, 'spec.limited'),
    ...validateResponse(limited.limitResponse),
    ...validateLending(limited, 'spec.limited'),
  );
  if (borrowing !== undefined && borrowing < 0) {
    const detail = 'if specified, must be a non-negative integer';
    errors.push(fieldError.invalid('spec.limited.borrowingLimitPercent', borrowing, detail));
  }
  return errors;
}

function validateShares(
  { nominalConcurrencyShares: shares = 0 }: flowcontrol.ExemptPriorityLevelConfiguration,
  path: string,
): FieldError[] {
  if (shares >= 0) return [];
  return [fieldError.invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')];
}

function validateLending(
  { lendablePercent: percent = 0 }: flowcontrol.ExemptPriorityLevelConfiguration,
  path: string,
): FieldError[] {
  if (percent >= 0 && percent <= 100) return [];
  return [fieldError.invalid(`${path}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')];
}

function validateResponse(response: flowcontrol.LimitResponse | undefined): FieldError[] {
  const { type = '', queuing } = response ?? {};
  const path = 'spec.limited.limitResponse';
  if (type === 'Reject')
    return queuing === undefined
      ? []
      : [fieldError.forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')];
  if (type !== 'Queue') return [fieldError.notSupported(`${path}.type`, type, ['Queue', 'Reject'])];
  if (queuing === undefined)
    return [fieldError.required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')];
  return validateQueuing(queuing, `${path}.queuing`);
}

const maxQueues = 10_000_000;
/** Bits of the hash that deals hands of queues. */
const maxHashBits = 60;

function validateQueuing(queuing: flowcontrol.QueuingConfiguration, path: string): FieldError[] {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing;
  const errors: FieldError[] = [];
  if (queueLengthLimit <= 0)
    errors.push(fieldError.invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(fieldError.invalid(`${path}.queues`, queues, 'must be positive'));
  else if (queues > maxQueues)
    errors.push(fieldError.invalid(`${path}.queues`, queues, `must not be greater than ${maxQueues}`));
  const problem = handProblem(queues, handSize);
  return problem === undefined ? errors : [...errors, fieldError.invalid(`${path}.handSize`, handSize, problem)];
}

function handProblem(queues: number, handSize: number): string | undefined {
  if (handSize <= 0) return 'must be positive';
  if (handSize > queues) return `should not be greater than queues (${queues})`;
  const bits = Math.ceil(Math.log2(queues) * handSize);
  return bits > maxHashBits
    ? `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`
    : undefined;
}
