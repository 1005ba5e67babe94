import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  ResourceAttributes,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '#kinds/generated/types/authorization_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { badRequest, type FieldError, fieldError, invalid } from '#machinery/errors.ts';
import { type FieldSelector, parseFieldSelector } from '#machinery/fields.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import type { LabelRequirement } from '#machinery/labels.ts';
import type { ObjectMeta } from '#machinery/meta.ts';
import { labelKeyProblems, labelValueProblems } from '#machinery/names.ts';
import type { Operation, UserInfo } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import type { AccessAttributes } from './authorizer.ts';

/** SubjectAccessReview and LocalSubjectAccessReview: may they. */
export function reviewAccess(registry: Registry, operation: Operation): Promise<object> {
  const { spec } = operation.body as SubjectAccessReview;
  const user: UserInfo = {
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
    ...(spec.extra === undefined ? {} : { extra: lowerCaseKeys(spec.extra) }),
  };
  const isNobody = user.name === '' && user.groups.length === 0;
  const detail = 'at least one of user or group must be specified';
  const errors = [
    ...attributeErrors(spec),
    ...(isNobody ? [fieldError.invalid('spec.user', '', detail)] : []),
    ...allSelectorErrors(spec.resourceAttributes),
  ];
  return review(registry, operation, { user, spec, errors });
}

/** SelfSubjectAccessReview: may I. */
export function reviewOwnAccess(registry: Registry, operation: Operation): Promise<object> {
  const { spec } = operation.body as SubjectAccessReview;
  const errors = [...attributeErrors(spec), ...allSelectorErrors(spec.resourceAttributes)];
  return review(registry, operation, { user: operation.user, spec, errors });
}

async function review(
  registry: Registry,
  { body, resource, namespace }: Operation,
  asked: { readonly user: UserInfo; readonly spec: SubjectAccessReviewSpec; readonly errors: readonly FieldError[] },
): Promise<object> {
  const { user, spec } = asked;
  const { metadata } = body as SubjectAccessReview;
  const errors = [...asked.errors, ...metadataErrors(metadata, resource.kind)];
  if (resource.kind.namespaced) errors.push(...placeErrors(spec, namespace));
  // Upstream names no kind here.
  if (errors.length > 0) throw invalid({ group: resource.kind.group, kind: '' }, '', errors);
  const { outcome, reason, error } = await registry.authorizer.authorize(accessAttributes(user, spec));
  const problem = evaluationError(error, spec.resourceAttributes);
  const status = {
    allowed: outcome === 'allow',
    ...(outcome === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(problem === '' ? {} : { evaluationError: problem }),
  };
  return { metadata, spec, status };
}

/** A question is about nobody's object. */
function metadataErrors(metadata: ObjectMeta, { namespaced }: { readonly namespaced: boolean }): readonly FieldError[] {
  const { managedFields: _, namespace, ...rest } = metadata;
  const found = namespaced ? rest : { ...rest, namespace };
  if (equalValues(found, {})) return [];
  const detail = namespaced ? 'must be empty except for namespace' : 'must be empty';
  return [fieldError.invalid('metadata', goStruct('v1.ObjectMeta', metadata), detail)];
}

function placeErrors(spec: SubjectAccessReviewSpec, namespace: string): readonly FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const errors: FieldError[] = [];
  if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? '') !== namespace) {
    const found = resourceAttributes.namespace ?? '';
    errors.push(fieldError.invalid('spec.resourceAttributes.namespace', found, 'must match metadata.namespace'));
  }
  if (nonResourceAttributes !== undefined) {
    const shown = goStruct('authorization.NonResourceAttributes', nonResourceAttributes);
    errors.push(fieldError.invalid('spec.nonResourceAttributes', shown, 'disallowed on this kind of request'));
  }
  return errors;
}

function* attributeErrors({
  resourceAttributes,
  nonResourceAttributes,
}: SubjectAccessReviewSpec): Generator<FieldError> {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    const shown = goStruct('authorization.NonResourceAttributes', nonResourceAttributes);
    yield fieldError.invalid('spec.nonResourceAttributes', shown, detail);
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    yield fieldError.invalid('spec.resourceAttributes', null, detail);
  }
}

function* allSelectorErrors(asked: ResourceAttributes | undefined): Generator<FieldError> {
  const path = 'spec.resourceAttributes';
  yield* selectorErrors(asked?.fieldSelector, `${path}.fieldSelector`, false);
  yield* selectorErrors(asked?.labelSelector, `${path}.labelSelector`, true);
}

function* selectorErrors(
  selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
  path: string,
  ofLabels: boolean,
): Generator<FieldError> {
  if (selector === undefined) return;
  const { rawSelector = '', requirements = [] } = selector;
  if (rawSelector !== '' && requirements.length > 0)
    yield fieldError.invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements');
  if (rawSelector === '' && requirements.length === 0)
    yield fieldError.required(
      `${path}.requirements`,
      `when ${path} is specified, requirements or rawSelector is required`,
    );
  for (const [index, { key, operator, values = [] }] of requirements.entries()) {
    const at = `${path}.requirements[${index}]`;
    if (!ofLabels && (key ?? '') === '') yield fieldError.required(`${at}.key`, 'must be specified');
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      yield fieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      yield fieldError.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    if (!ofLabels) continue;
    yield* invalidAll(`${at}.key`, key, labelKeyProblems(key ?? ''));
    for (const [place, value] of values.entries())
      yield* invalidAll(`${at}.values[${place}]`, value, labelValueProblems(value));
  }
}

function lowerCaseKeys(extra: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key.toLowerCase(), values]));
}

function accessAttributes(user: UserInfo, spec: SubjectAccessReviewSpec): AccessAttributes {
  const { resourceAttributes: asked, nonResourceAttributes } = spec;
  const nothing = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
  if (asked === undefined)
    return { ...nothing, user, verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' };
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = asked;
  const attributes = { ...nothing, user, verb, group, version, resource, subresource, namespace, name };
  return { ...attributes, ...selectorsOf(asked) };
}

/** What was read of a selector, and whether that was all. What cannot be read narrows nothing down. */
interface ReadSelector<T> {
  readonly requirements: readonly T[];
  readonly isComplete: boolean;
}

function selectorsOf(asked: ResourceAttributes): Pick<AccessAttributes, 'fieldSelector' | 'labelSelector'> {
  const fields = readFields(asked.fieldSelector)?.requirements ?? [];
  const labels = readLabels(asked.labelSelector)?.requirements ?? [];
  return {
    ...(fields.length === 0 ? {} : { fieldSelector: fields }),
    ...(labels.length === 0 ? {} : { labelSelector: labels }),
  };
}

function evaluationError(error: string | undefined, asked: ResourceAttributes | undefined): string {
  const note = (name: string, read: ReadSelector<unknown> | undefined): string[] => {
    if (read === undefined || read.isComplete) return [];
    const how = read.requirements.length > 0 ? 'partially ignored' : 'ignored';
    return [`spec.resourceAttributes.${name} ${how} due to parse error`];
  };
  return [
    ...(error === undefined ? [] : [error]),
    ...note('fieldSelector', readFields(asked?.fieldSelector)),
    ...note('labelSelector', readLabels(asked?.labelSelector)),
  ].join('; ');
}

function readRaw<T>(read: () => readonly T[]): ReadSelector<T> {
  try {
    return { requirements: read(), isComplete: true };
  } catch {
    return { requirements: [], isComplete: false };
  }
}

function readFields(selector: FieldSelectorAttributes | undefined): ReadSelector<FieldSelector[number]> | undefined {
  if (selector === undefined) return undefined;
  const { rawSelector = '', requirements: asked = [] } = selector;
  if (asked.length === 0) return readRaw(() => parseFieldSelector(rawSelector));
  const requirements = asked.flatMap(({ key, operator, values = [] }) => {
    // Field selectors know only equality.
    if (values.length !== 1 || (operator !== 'In' && operator !== 'NotIn')) return [];
    return [{ field: key, operator: operator === 'In' ? ('=' as const) : ('!=' as const), value: values[0]! }];
  });
  return { requirements, isComplete: requirements.length === asked.length };
}

const labelOperators: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

function readLabels(selector: LabelSelectorAttributes | undefined): ReadSelector<LabelRequirement> | undefined {
  if (selector === undefined) return undefined;
  const { rawSelector = '', requirements: asked = [] } = selector;
  if (asked.length === 0) return readRaw(() => parseLabelSelector(rawSelector).requirements);
  const requirements = asked.flatMap(({ key, operator, values = [] }) => {
    const known = labelOperators[operator ?? ''];
    return known === undefined ? [] : [{ key: key ?? '', operator: known, values: [...values].sort() }];
  });
  return { requirements, isComplete: requirements.length === asked.length };
}

/** SelfSubjectRulesReview: all that I may do in a namespace, as far as the authorisers tell. */
export function reviewOwnRules(registry: Registry, { body, user }: Operation): object {
  const { spec } = body as { readonly spec: { readonly namespace?: string } };
  const { namespace = '' } = spec;
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, gap } = registry.authorizer.rulesFor?.(user, namespace) ?? { rules: [] };
  const resourceRules = rules
    .filter(({ resources }) => (resources ?? []).length > 0)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames === undefined ? {} : { resourceNames }),
    }));
  const nonResourceRules = rules
    .filter(({ nonResourceURLs }) => (nonResourceURLs ?? []).length > 0)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  const gaps = gap === undefined ? { incomplete: false } : { incomplete: true, evaluationError: gap };
  return { spec: {}, status: { resourceRules, nonResourceRules, ...gaps } };
}
