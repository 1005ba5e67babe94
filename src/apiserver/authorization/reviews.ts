import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  ResourceAttributes,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '#kinds/generated/types/authorization_v1.ts';
import { badRequest, type FieldError, fieldError, invalid } from '#machinery/errors.ts';
import { type FieldSelector, parseFieldSelector } from '#machinery/fields.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import type { LabelRequirement } from '#machinery/labels.ts';
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
  const errors = [...attributeErrors(spec)];
  if (user.name === '' && user.groups.length === 0)
    errors.push(fieldError.invalid('spec.user', '', 'at least one of user or group must be specified'));
  return review(registry, operation, { user, spec, errors });
}

/** SelfSubjectAccessReview: may I. */
export function reviewOwnAccess(registry: Registry, operation: Operation): Promise<object> {
  const { spec } = operation.body as SubjectAccessReview;
  return review(registry, operation, { user: operation.user, spec, errors: [...attributeErrors(spec)] });
}

async function review(
  registry: Registry,
  { body, resource, namespace }: Operation,
  asked: { readonly user: UserInfo; readonly spec: SubjectAccessReviewSpec; readonly errors: readonly FieldError[] },
): Promise<object> {
  const { user, spec } = asked;
  const { metadata } = body as SubjectAccessReview;
  const errors = [...asked.errors];
  if (resource.kind.namespaced) {
    if (spec.resourceAttributes !== undefined && (spec.resourceAttributes.namespace ?? '') !== namespace) {
      const found = spec.resourceAttributes.namespace ?? '';
      errors.push(fieldError.invalid('spec.resourceAttributes.namespace', found, 'must match metadata.namespace'));
    }
    if (spec.nonResourceAttributes !== undefined) {
      const detail = 'disallowed on this kind of request';
      errors.push(fieldError.invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, detail));
    }
  }
  if (errors.length > 0) throw invalid(resource.kind, '', errors);
  const { outcome, reason, error } = await registry.authorizer.authorize(accessAttributes(user, spec));
  const status = {
    allowed: outcome === 'allow',
    ...(outcome === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(error === undefined ? {} : { evaluationError: error }),
  };
  return { metadata, spec, status };
}

function* attributeErrors({
  resourceAttributes,
  nonResourceAttributes,
}: SubjectAccessReviewSpec): Generator<FieldError> {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    yield fieldError.invalid('spec.nonResourceAttributes', nonResourceAttributes, detail);
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    yield fieldError.invalid('spec.resourceAttributes', null, detail);
  }
  if (resourceAttributes === undefined) return;
  yield* selectorErrors(resourceAttributes.fieldSelector, 'spec.resourceAttributes.fieldSelector');
  yield* selectorErrors(resourceAttributes.labelSelector, 'spec.resourceAttributes.labelSelector');
}

function* selectorErrors(
  selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
  path: string,
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
    if ((key ?? '') === '') yield fieldError.required(`${at}.key`, 'must be specified');
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      yield fieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      yield fieldError.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
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

/** What cannot be read narrows nothing down: the question is then about everything, as upstream has it. */
function selectorsOf(asked: ResourceAttributes): Pick<AccessAttributes, 'fieldSelector' | 'labelSelector'> {
  const { fieldSelector, labelSelector } = asked;
  const fields = fieldSelector === undefined ? undefined : readable(() => fieldRequirements(fieldSelector));
  const labels = labelSelector === undefined ? undefined : readable(() => labelRequirements(labelSelector));
  return {
    ...(fields === undefined ? {} : { fieldSelector: fields }),
    ...(labels === undefined ? {} : { labelSelector: labels }),
  };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function fieldRequirements({ rawSelector = '', requirements = [] }: FieldSelectorAttributes): FieldSelector {
  if (rawSelector !== '') return parseFieldSelector(rawSelector);
  return requirements.flatMap(({ key, operator, values = [] }) => {
    // Field selectors know only equality: anything else restricts less than it says.
    if (values.length !== 1 || (operator !== 'In' && operator !== 'NotIn')) return [];
    return [{ field: key, operator: operator === 'In' ? ('=' as const) : ('!=' as const), value: values[0]! }];
  });
}

const labelOperators: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

function labelRequirements({
  rawSelector = '',
  requirements = [],
}: LabelSelectorAttributes): readonly LabelRequirement[] {
  if (rawSelector !== '') return parseLabelSelector(rawSelector).requirements;
  return requirements.flatMap(({ key, operator, values = [] }) => {
    const known = labelOperators[operator ?? ''];
    return known === undefined ? [] : [{ key: key ?? '', operator: known, values: [...values].sort() }];
  });
}

/** SelfSubjectRulesReview: all that I may do in a namespace, as far as roles tell. */
export function reviewOwnRules(registry: Registry, { body, user }: Operation): object {
  const { spec } = body as { readonly spec: { readonly namespace?: string } };
  const { namespace = '' } = spec;
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = registry.rbac.rulesFor(user, namespace);
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
  const unlisted = registry.authorizer.unlisted?.(user);
  const gaps = unlisted === undefined ? { incomplete: false } : { incomplete: true, evaluationError: unlisted };
  return { spec: {}, status: { resourceRules, nonResourceRules, ...gaps } };
}
