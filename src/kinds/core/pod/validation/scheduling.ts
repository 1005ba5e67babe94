import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import { label1123Problems, labelKeyProblems, labelValueProblems, subdomainProblems } from '#machinery/names.ts';

/** Where a pod may and would rather run. */
export function validateAffinity(affinity: core.Affinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  return [
    ...(nodeAffinity === undefined ? [] : validateNodeAffinity(nodeAffinity, `${path}.nodeAffinity`)),
    ...(podAffinity === undefined ? [] : validatePodAffinity(podAffinity, `${path}.podAffinity`)),
    ...(podAntiAffinity === undefined ? [] : validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`)),
  ];
}

function validateNodeAffinity(affinity: core.NodeAffinity, path: string): FieldError[] {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = `${path}.preferredDuringSchedulingIgnoredDuringExecution`;
  return [
    ...(required === undefined
      ? []
      : validateNodeSelector(required, `${path}.requiredDuringSchedulingIgnoredDuringExecution`)),
    ...each(affinity.preferredDuringSchedulingIgnoredDuringExecution, preferred, ({ weight, preference }, at) => [
      ...validateWeight(weight, at),
      ...validateNodeSelectorTerm(preference, `${at}.preference`, noValues),
    ]),
  ];
}

function validateWeight(weight: number, path: string): FieldError[] {
  return weight >= 1 && weight <= 100
    ? []
    : [fieldError.invalid(`${path}.weight`, weight, 'must be in the range 1-100')];
}

export function validateNodeSelector(selector: core.NodeSelector, path: string): FieldError[] {
  const at = `${path}.nodeSelectorTerms`;
  if ((selector.nodeSelectorTerms ?? []).length === 0) {
    return [fieldError.required(at, 'must have at least one node selector term')];
  }
  return each(selector.nodeSelectorTerms, at, (term, place) =>
    validateNodeSelectorTerm(term, place, validateNodeValues),
  );
}

type ValidateValues = (requirement: core.NodeSelectorRequirement, path: string) => FieldError[];

/** Of values that no label can have, preferences are only warned. */
const noValues: ValidateValues = () => [];

function validateNodeSelectorTerm(
  term: core.NodeSelectorTerm,
  path: string,
  validateValues: ValidateValues,
): FieldError[] {
  return [
    ...each(term.matchExpressions, `${path}.matchExpressions`, (requirement, at) => [
      ...validateNodeRequirement(requirement, at),
      ...validateValues(requirement, at),
    ]),
    ...each(term.matchFields, `${path}.matchFields`, validateNodeField),
  ];
}

function validateNodeRequirement(requirement: core.NodeSelectorRequirement, path: string): FieldError[] {
  const { key, operator, values = [] } = requirement;
  const errors: FieldError[] = [];
  if (operator === 'In' || operator === 'NotIn') {
    const detail = "must be specified when `operator` is 'In' or 'NotIn'";
    if (values.length === 0) errors.push(fieldError.required(`${path}.values`, detail));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    if (values.length > 0) errors.push(fieldError.forbidden(`${path}.values`, detail));
  } else if (operator === 'Gt' || operator === 'Lt') {
    const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
    if (values.length !== 1) errors.push(fieldError.required(`${path}.values`, detail));
  } else {
    errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  return [...errors, ...invalidAll(`${path}.key`, key, labelKeyProblems(key))];
}

const validateNodeValues: ValidateValues = ({ values }, path) =>
  each(values, `${path}.values`, (value, at) => invalidAll(at, value, labelValueProblems(value)));

function validateNodeField({ key, operator, values = [] }: core.NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(fieldError.required(`${path}.values`, detail));
  }
  if (key !== 'metadata.name') {
    return [...errors, fieldError.invalid(`${path}.key`, key, 'not a valid field selector key')];
  }
  for (const [index, value] of values.entries()) {
    errors.push(...invalidAll(`${path}.values[${index}]`, value, subdomainProblems(value)));
  }
  return errors;
}

function validatePodAffinity(affinity: core.PodAffinity | core.PodAntiAffinity, path: string): FieldError[] {
  const preferred = `${path}.preferredDuringSchedulingIgnoredDuringExecution`;
  return [
    ...each(
      affinity.requiredDuringSchedulingIgnoredDuringExecution,
      `${path}.requiredDuringSchedulingIgnoredDuringExecution`,
      validatePodTerm,
    ),
    ...each(affinity.preferredDuringSchedulingIgnoredDuringExecution, preferred, ({ weight, podAffinityTerm }, at) => [
      ...validateWeight(weight, at),
      ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`),
    ]),
  ];
}

function validatePodTerm(term: core.PodAffinityTerm, path: string): FieldError[] {
  const { topologyKey = '' } = term;
  const errors = [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap((name) => invalidAll(`${path}.namespace`, name, label1123Problems(name))),
  ];
  errors.push(...validateLabelKeys(term, path));
  if (topologyKey === '') errors.push(fieldError.required(`${path}.topologyKey`, 'can not be empty'));
  return [...errors, ...invalidAll(`${path}.topologyKey`, topologyKey, labelKeyProblems(topologyKey))];
}

interface LabelKeys {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/** KEP-3633: labels whose values a pod's own are compared with; creation makes them part of the selector. */
function validateLabelKeys(
  { labelSelector: selector, matchLabelKeys = [], mismatchLabelKeys = [] }: LabelKeys,
  path: string,
): FieldError[] {
  const keys = { matchLabelKeys, mismatchLabelKeys };
  const errors = Object.entries(keys).flatMap(([field, names]) => {
    const at = `${path}.${field}`;
    if (names.length > 0 && selector === undefined)
      return [fieldError.forbidden(at, 'must not be specified when labelSelector is not set')];
    return names.flatMap((name, index) => invalidAll(`${at}[${index}]`, name, labelKeyProblems(name)));
  });
  const selected = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key } of selector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index >= 0 && selected.has(key))
      errors.push(fieldError.invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    selected.add(key);
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
    if (mismatchLabelKeys.includes(key))
      errors.push(fieldError.invalid(`${path}.matchLabelKeys[${index}]`, key, detail));
  }
  return errors;
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTolerations(tolerations: readonly core.Toleration[] | undefined, path: string): FieldError[] {
  return each(tolerations, path, (toleration, at) => {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
    const errors = key === '' ? [] : invalidAll(`${at}.key`, key, labelKeyProblems(key));
    if (key === '' && operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(fieldError.invalid(`${at}.operator`, operator, detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(fieldError.invalid(`${at}.effect`, effect, detail));
    }
    if (operator === 'Equal' || operator === '') {
      const problems = labelValueProblems(value);
      if (problems.length > 0) errors.push(fieldError.invalid(`${at}.operator`, value, problems.join(';')));
    } else if (operator === 'Exists') {
      const detail = "value must be empty when `operator` is 'Exists'";
      if (value !== '') errors.push(fieldError.invalid(`${at}.operator`, value, detail));
    } else {
      // Comparisons are known, and behind a feature gate that is off.
      const known = operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists'];
      errors.push(fieldError.notSupportedInOrder(`${at}.operator`, operator, known));
    }
    if (effect !== '' && !effects.includes(effect))
      errors.push(fieldError.notSupportedInOrder(`${at}.effect`, effect, effects));
    return errors;
  });
}

export function validateSpreadConstraints(
  constraints: readonly core.TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] {
  return each(constraints, path, (constraint, at, index) => {
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint;
    const errors: FieldError[] = [];
    if (maxSkew <= 0) errors.push(fieldError.invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (topologyKey === '') errors.push(fieldError.required(`${at}.topologyKey`, 'can not be empty'));
    errors.push(...oneOf(whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], `${at}.whenUnsatisfiable`));
    const isRepeated = constraints!
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated) {
      const pair = `{${topologyKey}, ${whenUnsatisfiable}}`;
      errors.push(fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    }
    if (minDomains !== undefined && minDomains <= 0) {
      errors.push(fieldError.invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'));
    }
    if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(fieldError.invalid(`${at}.minDomains`, minDomains, detail));
    }
    errors.push(...oneOf(constraint.nodeAffinityPolicy, ['Honor', 'Ignore'], `${at}.nodeAffinityPolicy`));
    errors.push(...oneOf(constraint.nodeTaintsPolicy, ['Honor', 'Ignore'], `${at}.nodeTaintsPolicy`));
    errors.push(...validateLabelKeys(constraint, at));
    return [...errors, ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`)];
  });
}
