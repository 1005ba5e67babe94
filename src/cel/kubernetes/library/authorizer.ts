import { type FieldSelector, parseFieldSelector } from '#machinery/fields.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import type { LabelRequirement } from '#machinery/labels.ts';
import { label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { member } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import { typeConstants } from '../../library/standard/index.ts';
import { boolType, type CelType, opaqueType, stringType } from '../../types/types.ts';
import { fail, OpaqueValue, type Value } from '../../values/value.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library */

export const authorizerType: CelType = opaqueType('kubernetes.authorization.Authorizer');
const pathCheckType = opaqueType('kubernetes.authorization.PathCheck');
const groupCheckType = opaqueType('kubernetes.authorization.GroupCheck');
export const resourceCheckType: CelType = opaqueType('kubernetes.authorization.ResourceCheck');
const decisionType = opaqueType('kubernetes.authorization.Decision');

/** What an expression asks about; who asks stands in `serviceAccount`, or is the request's own user. */
export interface AccessCheck {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly serviceAccount: { readonly namespace: string; readonly name: string } | undefined;
  readonly fieldSelector?: FieldSelector | undefined;
  readonly labelSelector?: readonly LabelRequirement[] | undefined;
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string | undefined;
}

/** Decides at once. One that has to wait throws something that is no Failure, which the caller handles. */
export type CheckAccess = (check: AccessCheck) => AccessDecision;

const nothing: AccessCheck = {
  verb: '',
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
  serviceAccount: undefined,
};

/** Any of the types above but a decision: a check that is not complete yet. */
class CheckValue extends OpaqueValue {
  readonly type: CelType;
  readonly check: AccessCheck;
  readonly decide: CheckAccess;

  constructor(type: CelType, check: AccessCheck, decide: CheckAccess) {
    super();
    this.type = type;
    this.check = check;
    this.decide = decide;
  }

  with(type: CelType, more: Partial<AccessCheck>): CheckValue {
    return new CheckValue(type, { ...this.check, ...more }, this.decide);
  }

  equals(other: Value): boolean {
    return this === other;
  }
}

class DecisionValue extends OpaqueValue {
  readonly type = decisionType;
  readonly decision: AccessDecision;

  constructor(decision: AccessDecision) {
    super();
    this.decision = decision;
  }

  equals(other: Value): boolean {
    return this === other;
  }
}

/** The variable `authorizer`. */
export const authorizerValue = (decide: CheckAccess): CheckValue => new CheckValue(authorizerType, nothing, decide);

/** The variable `authorizer.requestResource`. */
export const requestResourceValue = (
  decide: CheckAccess,
  request: Pick<AccessCheck, 'group' | 'resource' | 'subresource' | 'namespace' | 'name'>,
): CheckValue => new CheckValue(resourceCheckType, { ...nothing, ...request }, decide);

function serviceAccount(authorizer: CheckValue, namespace: string, name: string): CheckValue {
  if (subdomainProblems(name).length > 0) fail('Invalid service account name');
  if (label1123Problems(namespace).length > 0) fail('Invalid service account namespace');
  return authorizer.with(authorizerType, { serviceAccount: { namespace, name } });
}

/** A selector that cannot be parsed narrows nothing down, as upstream has it. */
function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

const check = (value: CheckValue, verb: string): DecisionValue =>
  new DecisionValue(value.decide({ ...value.check, verb }));

const text = stringType;
const authorizer = authorizerType;
const ofResource = resourceCheckType;

/** `name(text)` on a resource check that sets one part of it. */
const part = (name: 'subresource' | 'namespace' | 'name') =>
  member(name, `resourcecheck_${name}`, [ofResource, text], ofResource, (value: CheckValue, own: string) =>
    value.with(ofResource, { [name]: own }),
  );

export const authorizerLibrary: Library = {
  name: 'kubernetes.authz',
  types: typeConstants(
    new Map(
      [authorizerType, pathCheckType, groupCheckType, resourceCheckType, decisionType].map((type) => [type.name, type]),
    ),
  ),
  overloads: [
    member('path', 'authorizer_path', [authorizer, text], pathCheckType, (value: CheckValue, path: string) =>
      path === '' ? fail('path must not be empty') : value.with(pathCheckType, { path }),
    ),
    member('group', 'authorizer_group', [authorizer, text], groupCheckType, (value: CheckValue, group: string) =>
      value.with(groupCheckType, { group }),
    ),
    member('serviceAccount', 'authorizer_serviceaccount', [authorizer, text, text], authorizer, serviceAccount),
    member('resource', 'groupcheck_resource', [groupCheckType, text], ofResource, (value: CheckValue, own: string) =>
      own === '' ? fail('resource must not be empty') : value.with(ofResource, { resource: own }),
    ),
    part('subresource'),
    part('namespace'),
    part('name'),
    member(
      'fieldSelector',
      'authorizer_fieldselector',
      [ofResource, text],
      ofResource,
      (value: CheckValue, own: string) =>
        value.with(ofResource, { fieldSelector: parsed(() => parseFieldSelector(own)) }),
    ),
    member(
      'labelSelector',
      'authorizer_labelselector',
      [ofResource, text],
      ofResource,
      (value: CheckValue, own: string) =>
        value.with(ofResource, { labelSelector: parsed(() => parseLabelSelector(own).requirements) }),
    ),
    member('check', 'pathcheck_check', [pathCheckType, text], decisionType, check),
    member('check', 'resourcecheck_check', [ofResource, text], decisionType, check),
    member('allowed', 'decision_allowed', [decisionType], boolType, ({ decision }: DecisionValue) => decision.allowed),
    member('reason', 'decision_reason', [decisionType], text, ({ decision }: DecisionValue) => decision.reason),
    member(
      'errored',
      'decision_errored',
      [decisionType],
      boolType,
      ({ decision }: DecisionValue) => decision.error !== undefined,
    ),
    member('error', 'decision_error', [decisionType], text, ({ decision }: DecisionValue) => decision.error ?? ''),
  ],
};
