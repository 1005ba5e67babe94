import { boolType, type CelEnvironment, type CelType, listType, nullType, stringType } from '#cel/index.ts';
import { jsonPatchType, objectType } from '#cel/kubernetes/library/mutation.ts';
import { validateConditions, validateRule } from '#kinds/admissionregistration/webhook-validation.ts';
import type * as admission from '#kinds/generated/types/admissionregistration_v1.ts';
import { each, invalidAll, oneOf, requiredOneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import {
  byteLength,
  label1035Problems,
  labelKeyProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '#machinery/names.ts';
import { type CompiledExpression, compileExpression } from '../expressions/compile.ts';
import { admissionEnvironment } from '../expressions/environment.ts';
import { withMutations } from '../mutating-admission-policy/compiled.ts';
import { type ComposedVariables, composeVariables } from './variables.ts';

/** What the API says of policies and bindings that cannot be (admissionregistration/v1). */

const maxAuditAnnotations = 20;
const maxAuditExpressionBytes = 5 * 1024;
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const lineBreak = /[\n\r]/;
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

export function validateValidatingPolicy({
  metadata,
  spec,
}: admission.ValidatingAdmissionPolicy): readonly FieldError[] {
  const { validations = [], auditAnnotations = [] } = spec;
  const hasParams = spec.paramKind !== undefined;
  const variables = composeVariables(spec.variables ?? [], { hasParams, hasAuthorizer: true });
  const environment = variables.environment({ hasParams, hasAuthorizer: true });
  const messages = variables.environment({ hasParams, hasAuthorizer: false });
  const errors = [...validateCommon(spec), ...validateVariables(spec.variables, variables)];
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item';
    return [
      ...errors,
      fieldError.required('spec.validations', detail),
      fieldError.required('spec.auditAnnotations', detail),
    ];
  }
  if (auditAnnotations.length > maxAuditAnnotations) {
    const detail = `must not have more than ${maxAuditAnnotations} auditAnnotations`;
    errors.push(fieldError.invalid('spec.auditAnnotations', auditAnnotations, detail));
  }
  const keys = new Set<string>();
  return [
    ...errors,
    ...each(validations, 'spec.validations', (validation, path) =>
      validateValidation(validation, path, environment, messages),
    ),
    ...each(auditAnnotations, 'spec.auditAnnotations', (annotation, path) => {
      const found = validateAnnotation(annotation, path, metadata.name ?? '', environment);
      if (keys.has(annotation.key)) found.push(fieldError.duplicate(`${path}.key`, annotation.key));
      keys.add(annotation.key);
      return found;
    }),
  ];
}

export function validateMutatingPolicy({ spec }: admission.MutatingAdmissionPolicy): readonly FieldError[] {
  const use = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true };
  const variables = composeVariables(spec.variables ?? [], use, withMutations);
  const environment = variables.environment(use);
  const { mutations = [] } = spec;
  return [
    ...validateCommon(spec, validateMutableOperations),
    ...validateVariables(spec.variables, variables),
    ...(mutations.length === 0
      ? [fieldError.required('spec.mutations', 'mutations must contain at least one item')]
      : []),
    ...each(mutations, 'spec.mutations', (own, path) => validateMutation(own, path, environment)),
    ...requiredOneOf(spec.reinvocationPolicy, ['IfNeeded', 'Never'], 'spec.reinvocationPolicy'),
  ];
}

/** What is deleted cannot be changed. */
function validateMutableOperations({ resourceRules = [] }: admission.MatchResources, path: string): FieldError[] {
  const operations = resourceRules.flatMap((rule) => rule.operations ?? []);
  const at = `${path}.resourceRules.operations`;
  return operations.flatMap((operation) => oneOf(operation, ['*', 'CONNECT', 'CREATE', 'UPDATE'], at));
}

export function validateValidatingBinding({ spec }: admission.ValidatingAdmissionPolicyBinding): readonly FieldError[] {
  const { validationActions: actions = [] } = spec;
  const path = 'spec.validationActions';
  const errors = [
    ...validateBinding(spec),
    ...each(actions, path, (action, at) => oneOf(action, ['Audit', 'Deny', 'Warn'], at)),
  ];
  const seen = new Set<string>();
  for (const [index, action] of actions.entries()) {
    if (seen.has(action)) errors.push(fieldError.duplicate(`${path}[${index}]`, action));
    seen.add(action);
  }
  if (seen.has('Deny') && seen.has('Warn')) {
    const why = 'repeating the same validation failure information in the API response and headers serves no purpose';
    errors.push(fieldError.invalid(path, actions, `must not contain both Deny and Warn (${why})`));
  }
  if (actions.length === 0) errors.push(fieldError.required(path, 'at least one validation action is required'));
  return errors;
}

export const validateMutatingBinding = ({ spec }: admission.MutatingAdmissionPolicyBinding): readonly FieldError[] => [
  ...validateBinding(spec),
  ...(spec.matchResources === undefined ? [] : validateMutableOperations(spec.matchResources, 'spec.matchResources')),
];

type PolicySpec = Pick<
  admission.ValidatingAdmissionPolicySpec & admission.MutatingAdmissionPolicySpec,
  'failurePolicy' | 'paramKind' | 'matchConstraints' | 'matchConditions'
>;

function validateCommon(
  spec: PolicySpec,
  validateOperations: (match: admission.MatchResources, path: string) => readonly FieldError[] = () => [],
): FieldError[] {
  const { matchConstraints, paramKind } = spec;
  const errors = oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy');
  if (paramKind !== undefined) errors.push(...validateParamKind(paramKind));
  if (matchConstraints === undefined) errors.push(fieldError.required('spec.matchConstraints'));
  else {
    errors.push(...validateMatch(matchConstraints, 'spec.matchConstraints'));
    if ((matchConstraints.resourceRules ?? []).length === 0) {
      errors.push(fieldError.required('spec.matchConstraints.resourceRules'));
    }
    errors.push(...validateOperations(matchConstraints, 'spec.matchConstraints'));
  }
  // Conditions are checked without the policy's variables, although they may use them once the policy runs.
  const conditions = admissionEnvironment({ hasParams: paramKind !== undefined, hasAuthorizer: true });
  const compile = (expression: string) => compileExpression(expression, conditions, [boolType]).error;
  return [...errors, ...validateConditions(spec.matchConditions, 'spec.matchConditions', compile)];
}

function validateParamKind({ apiVersion = '', kind = '' }: admission.ParamKind): FieldError[] {
  const path = 'spec.paramKind';
  const errors: FieldError[] = [];
  const parts = apiVersion.split('/');
  const [group, version] = parts.length === 1 ? ['', parts[0]!] : [parts[0]!, parts[1]!];
  if (apiVersion === '') errors.push(fieldError.required(`${path}.apiVersion`));
  else if (parts.length > 2) {
    const detail = `unexpected GroupVersion string: ${apiVersion}`;
    errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, detail));
  } else {
    if (group !== '') errors.push(...joined(`${path}.apiVersion`, group, subdomainProblems(group)));
    if (version === '') errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, 'version must be specified'));
    else errors.push(...joined(`${path}.apiVersion`, version, label1035Problems(version)));
  }
  if (kind === '') errors.push(fieldError.required(`${path}.kind`));
  else {
    const problems = label1035Problems(kind.toLowerCase());
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
    if (problems.length > 0) errors.push(fieldError.invalid(`${path}.kind`, kind, detail));
  }
  return errors;
}

const joined = (path: string, value: string, problems: readonly string[]): FieldError[] =>
  problems.length === 0 ? [] : [fieldError.invalid(path, value, problems.join(','))];

function validateMatch(match: admission.MatchResources, path: string): FieldError[] {
  const selector = (own: LabelSelector | undefined, at: string): FieldError[] =>
    own === undefined ? [fieldError.required(at)] : validateLabelSelector(own, at);
  return [
    ...oneOf(match.matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`),
    ...selector(match.namespaceSelector, `${path}.namespaceSelector`),
    ...selector(match.objectSelector, `${path}.objectSelector`),
    ...each(match.resourceRules, `${path}.resourceRules`, validateNamedRule),
    ...each(match.excludeResourceRules, `${path}.excludeResourceRules`, validateNamedRule),
  ];
}

function validateNamedRule(rule: admission.NamedRuleWithOperations, path: string): FieldError[] {
  const seen = new Set<string>();
  const names = each(rule.resourceNames, `${path}.resourceNames`, (name, at) => {
    const errors = invalidAll(at, name, pathSegmentProblems(name));
    if (seen.has(name)) errors.push(fieldError.duplicate(at, name));
    seen.add(name);
    return errors;
  });
  return [...names, ...validateRule(rule as admission.RuleWithOperations, path)];
}

const expressionError = (
  path: string,
  { source, error, internal }: Extract<CompiledExpression, { readonly error: string }>,
): FieldError =>
  internal === true
    ? { type: 'InternalError', path, message: `Internal error: ${error}` }
    : fieldError.invalid(path, source, error);

/** An expression that does not compile, or gives something else. */
function validateExpression(
  source: string,
  path: string,
  environment: CelEnvironment,
  types: readonly CelType[],
): FieldError[] {
  const compiled = compileExpression(source, environment, types);
  return compiled.error === undefined ? [] : [expressionError(path, compiled)];
}

function validateVariables(
  variables: readonly admission.Variable[] | undefined,
  composed: ComposedVariables,
): FieldError[] {
  return each(variables, 'spec.variables', ({ name = '', expression = '' }, path, index) => {
    const errors: FieldError[] = [];
    if (name.trim() === '') errors.push(fieldError.required(`${path}.name`, 'name is not specified'));
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || reserved.has(name)) {
      errors.push(fieldError.invalid(`${path}.name`, name, 'must be a valid CEL identifier'));
    }
    if (expression.trim() === '') {
      errors.push(fieldError.required(`${path}.expression`, 'expression is not specified'));
      return errors;
    }
    const compiled = composed.compiled[index];
    if (compiled?.error !== undefined) errors.push(expressionError(`${path}.expression`, compiled));
    return errors;
  });
}

function validateValidation(
  { expression = '', message = '', messageExpression = '', reason }: admission.Validation,
  path: string,
  environment: CelEnvironment,
  messages: CelEnvironment,
): FieldError[] {
  const errors =
    expression.trim() === ''
      ? [fieldError.required(`${path}.expression`, 'expression is not specified')]
      : validateExpression(expression, `${path}.expression`, environment, [boolType]);
  if (messageExpression !== '' && messageExpression.trim() === '') {
    const detail = 'must be non-empty if specified';
    errors.push(fieldError.invalid(`${path}.messageExpression`, messageExpression, detail));
  } else if (messageExpression !== '') {
    errors.push(...validateExpression(messageExpression, `${path}.messageExpression`, messages, [stringType]));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(fieldError.invalid(`${path}.message`, message, 'must be non-empty if specified'));
  } else if (lineBreak.test(message.trim())) {
    errors.push(fieldError.invalid(`${path}.message`, message, 'must not contain line breaks'));
  }
  return [...errors, ...oneOf(reason, reasons, `${path}.reason`)];
}

function validateAnnotation(
  { key, valueExpression = '' }: admission.AuditAnnotation,
  path: string,
  policy: string,
  environment: CelEnvironment,
): FieldError[] {
  const errors =
    policy === ''
      ? [fieldError.invalid(`${path}.key`, key, 'requires metadata.name be non-empty')]
      : invalidAll(`${path}.key`, `${policy}/${key}`, labelKeyProblems(`${policy}/${key}`));
  const at = `${path}.valueExpression`;
  if (valueExpression.trim() === '') return [...errors, fieldError.required(at, 'valueExpression is not specified')];
  if (byteLength(valueExpression.trim()) > maxAuditExpressionBytes) {
    return [...errors, fieldError.required(at, `must not exceed ${maxAuditExpressionBytes} bytes in length`)];
  }
  return [...errors, ...validateExpression(valueExpression, at, environment, [stringType, nullType])];
}

function validateMutation(
  { patchType = '', applyConfiguration, jsonPatch }: admission.Mutation,
  path: string,
  environment: CelEnvironment,
): FieldError[] {
  const all = [
    { type: 'ApplyConfiguration', field: 'applyConfiguration', value: applyConfiguration, result: objectType },
    { type: 'JSONPatch', field: 'jsonPatch', value: jsonPatch, result: listType(jsonPatchType) },
  ];
  const errors = requiredOneOf(
    patchType,
    all.map(({ type }) => type),
    `${path}.patchType`,
  );
  const isKnown = errors.length === 0;
  // What is asked for comes first.
  const kinds = all.toSorted((one, other) => Number(other.type === patchType) - Number(one.type === patchType));
  for (const { type, field, value, result } of kinds) {
    const at = `${path}.${field}`;
    if (type !== patchType) {
      const isForeign = value !== undefined && isKnown;
      const detail = `must not be specified when patchType is ${patchType}`;
      if (isForeign) errors.push(fieldError.invalid(at, `{${field}}`, detail));
    } else if (value === undefined) {
      errors.push(fieldError.required(at, `must be specified when patchType is ${type}`));
    } else if ((value.expression ?? '').trim() === '') {
      errors.push(fieldError.required(`${at}.expression`));
    } else errors.push(...validateExpression(value.expression ?? '', `${at}.expression`, environment, [result]));
  }
  return errors;
}

function validateBinding({
  policyName = '',
  paramRef,
  matchResources,
}: admission.MutatingAdmissionPolicyBindingSpec): FieldError[] {
  const errors =
    policyName === ''
      ? [fieldError.required('spec.policyName')]
      : invalidAll('spec.policyName', policyName, subdomainProblems(policyName));
  if (paramRef !== undefined) errors.push(...validateParamRef(paramRef));
  return [...errors, ...(matchResources === undefined ? [] : validateMatch(matchResources, 'spec.matchResources'))];
}

function validateParamRef({ name = '', selector, parameterNotFoundAction }: admission.ParamRef): FieldError[] {
  const path = 'spec.paramRef';
  const errors = name === '' ? [] : invalidAll(`${path}.name`, name, pathSegmentProblems(name));
  const exclusive = 'name and selector are mutually exclusive';
  if (name !== '' && selector !== undefined) errors.push(fieldError.forbidden(`${path}.name`, exclusive));
  if (selector !== undefined) errors.push(...validateLabelSelector(selector, `${path}.selector`));
  if (name !== '' && selector !== undefined) errors.push(fieldError.forbidden(`${path}.selector`, exclusive));
  if (name === '' && selector === undefined) {
    errors.push(fieldError.required(path, 'one of name or selector must be specified'));
  }
  return [...errors, ...validateNotFoundAction(parameterNotFoundAction, `${path}.parameterNotFoundAction`)];
}

function validateNotFoundAction(action: string | undefined, path: string): FieldError[] {
  const actions = ['Deny', 'Allow'];
  if ((action ?? '') === '') return [fieldError.required(path)];
  return actions.includes(action!) ? [] : [fieldError.notSupportedInOrder(path, action, actions)];
}
