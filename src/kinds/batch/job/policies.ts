import type * as batch from '#kinds/generated/types/batch_v1.ts';
import { each, invalidAll, nonNegative, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, labelKeyProblems } from '#machinery/names.ts';
import { indexCount, indexesProblem } from './indexes.ts';

const maximumRules = 20;
const maximumExitCodes = 255;
const maximumConditions = 20;
const maximumIndexesBytes = 64 * 1024;
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

/** As Go prints a list of texts. */
const goList = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** KEP-3329: what follows when a pod of a job fails in a certain way. */
export function validateFailurePolicy(
  policy: batch.PodFailurePolicy,
  { template, backoffLimitPerIndex }: batch.JobSpec,
  path: string,
): FieldError[] {
  const { rules = [] } = policy;
  const { containers = [], initContainers = [] } = template.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  return [
    ...(rules.length > maximumRules ? [fieldError.tooMany(`${path}.rules`, rules.length, maximumRules)] : []),
    ...each(rules, `${path}.rules`, (rule, at) => [
      ...validateAction(rule.action, backoffLimitPerIndex !== undefined, `${at}.action`),
      ...(rule.onExitCodes === undefined ? [] : validateExitCodes(rule.onExitCodes, names, `${at}.onExitCodes`)),
      ...validateConditions(rule.onPodConditions ?? [], `${at}.onPodConditions`),
      ...validateOneOfBoth(rule, at),
    ]),
  ];
}

function validateAction(action: string | undefined, isPerIndex: boolean, path: string): FieldError[] {
  if (action === undefined || action === '') return [fieldError.required(path, goList(actions))];
  if (action !== 'FailIndex') return oneOf(action, actions, path);
  return isPerIndex ? [] : [fieldError.invalid(path, action, 'requires the backoffLimitPerIndex to be set')];
}

function validateOneOfBoth(
  { onExitCodes, onPodConditions = [] }: batch.PodFailurePolicyRule,
  path: string,
): FieldError[] {
  const hasConditions = onPodConditions.length > 0;
  if ((onExitCodes !== undefined) !== hasConditions) return [];
  const detail = hasConditions
    ? 'specifying both OnExitCodes and OnPodConditions is not supported'
    : 'specifying one of OnExitCodes and OnPodConditions is required';
  return [{ type: 'FieldValueInvalid', path, message: `Invalid value: ${detail}` }];
}

function validateExitCodes(
  { operator, containerName, values = [] }: batch.PodFailurePolicyOnExitCodesRequirement,
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const operators = ['In', 'NotIn'];
  const at = `${path}.values`;
  const errors =
    (operator ?? '') === ''
      ? [fieldError.required(`${path}.operator`, goList(operators))]
      : oneOf(operator, operators, `${path}.operator`);
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(fieldError.invalid(`${path}.containerName`, containerName, detail));
  }
  if (values.length === 0) errors.push(fieldError.invalid(at, values, 'at least one value is required'));
  else if (values.length > maximumExitCodes) errors.push(fieldError.tooMany(at, values.length, maximumExitCodes));
  const seen = new Set<number>();
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      errors.push(fieldError.invalid(`${at}[${index}]`, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) errors.push(fieldError.duplicate(`${at}[${index}]`, value));
    seen.add(value);
  }
  if (values.some((value, index) => index > 0 && values[index - 1]! > value))
    errors.push(fieldError.invalid(at, values, 'must be ordered'));
  return errors;
}

function validateConditions(
  patterns: readonly batch.PodFailurePolicyOnPodConditionsPattern[],
  path: string,
): FieldError[] {
  const statuses = ['False', 'True', 'Unknown'];
  return [
    ...(patterns.length > maximumConditions ? [fieldError.tooMany(path, patterns.length, maximumConditions)] : []),
    ...each(patterns, path, ({ type = '', status = '' }, at) => [
      ...invalidAll(`${at}.type`, type, labelKeyProblems(type)),
      ...(status === ''
        ? [fieldError.required(`${at}.status`, goList(statuses))]
        : oneOf(status, statuses, `${at}.status`)),
    ]),
  ];
}

/** KEP-3998: when enough of an indexed job is done. */
export function validateSuccessPolicy(
  { rules = [] }: batch.SuccessPolicy,
  completions: number,
  path: string,
): FieldError[] {
  const at = `${path}.rules`;
  const detail = 'at least one rules must be specified when the successPolicy is specified';
  return [
    ...(rules.length === 0 ? [fieldError.required(at, detail)] : []),
    ...(rules.length > maximumRules ? [fieldError.tooMany(at, rules.length, maximumRules)] : []),
    ...each(rules, at, (rule, place) => validateSuccessRule(rule, completions, place)),
  ];
}

function validateSuccessRule(
  { succeededCount: count, succeededIndexes: indexes }: batch.SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (count === undefined && indexes === undefined)
    errors.push(fieldError.required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  const problem = indexes === undefined ? undefined : indexesProblem(indexes, completions);
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (byteLength(indexes) > maximumIndexesBytes) errors.push(fieldError.tooLong(at, maximumIndexesBytes));
    if (problem !== undefined)
      errors.push(fieldError.invalid(at, indexes, `error parsing succeededIndexes: ${problem}`));
  }
  if (count === undefined) return errors;
  const at = `${path}.succeededCount`;
  errors.push(...nonNegative(count, at));
  const limit = 'must be less than or equal to';
  if (count > completions)
    errors.push(fieldError.invalid(at, count, `${limit} ${completions} (the number of specified completions)`));
  const total = indexes === undefined || problem !== undefined ? 0 : indexCount(indexes, completions);
  if (indexes !== undefined && count > total) {
    const what = 'the number of indexes in the specified succeededIndexes field';
    errors.push(fieldError.invalid(at, count, `${limit} ${total} (${what})`));
  }
  return errors;
}
