import { parseYaml } from '#machinery/yaml.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';

const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];
export type AuditStage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';

/** What is to be noted of one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omittedStages: ReadonlySet<string>;
  readonly omitsManagedFields: boolean;
}

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface PolicyRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly string[];
  readonly omitManagedFields?: boolean;
}

interface Policy {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly string[];
  readonly omitManagedFields?: boolean;
}

const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];
const nothing: AuditDecision = { level: 'None', omittedStages: new Set(), omitsManagedFields: false };

/** An audit Policy (audit.k8s.io/v1): the first rule that a request meets decides. */
export class AuditPolicy {
  readonly #rules: readonly { readonly rule: PolicyRule; readonly decision: AuditDecision }[];

  /** @throws Error that names everything wrong with the policy. */
  constructor(text: string) {
    const policy = checked(parseYaml(text));
    this.#rules = policy.rules.map((rule) => ({
      rule,
      decision: {
        level: rule.level,
        omittedStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
        omitsManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
      },
    }));
  }

  decide(info: RequestInfo, user: UserInfo): AuditDecision {
    return this.#rules.find(({ rule }) => matches(rule, info, user))?.decision ?? nothing;
  }
}

function checked(value: unknown): Policy {
  const policy = value as (Policy & { readonly kind?: string; readonly apiVersion?: string }) | null;
  if (policy?.kind !== 'Policy' || policy.apiVersion !== 'audit.k8s.io/v1')
    throw new Error('an audit policy has kind: Policy and apiVersion: audit.k8s.io/v1');
  if (!Array.isArray(policy.rules) || policy.rules.length === 0) throw new Error('loaded illegal policy with 0 rules');
  const problems = [...stageProblems(policy.omitStages, 'omitStages')];
  for (const [index, rule] of policy.rules.entries()) problems.push(...ruleProblems(rule, `rules[${index}]`));
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  return policy;
}

function* ruleProblems(rule: PolicyRule, at: string): Generator<string> {
  const { level, nonResourceURLs = [], resources = [], namespaces = [] } = rule;
  if (level === undefined) yield `${at}.level: Required value`;
  else if (!auditLevels.includes(level))
    yield `${at}.level: Unsupported value: ${JSON.stringify(level)}: supported values: ${[...auditLevels]
      .sort()
      .map((one) => JSON.stringify(one))
      .join(', ')}`;
  for (const url of nonResourceURLs) {
    const quoted = JSON.stringify(url);
    if (url === '*') continue;
    if (!url.startsWith('/'))
      yield `${at}.nonResourceURLs: Invalid value: ${quoted}: non-resource URL rules must begin with a '/' character`;
    if (url.slice(0, -1).includes('*'))
      yield `${at}.nonResourceURLs: Invalid value: ${quoted}: non-resource URL wildcards '*' must be the final character of the rule`;
  }
  if (nonResourceURLs.length > 0 && resources.length + namespaces.length > 0)
    yield `${at}.nonResourceURLs: Invalid value: ${JSON.stringify(nonResourceURLs)}: rules cannot apply to both regular resources and non-resource URLs`;
  for (const [index, { group = '', resources: names = [], resourceNames = [] }] of resources.entries()) {
    if (group !== '' && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(group))
      yield `${at}.resources[${index}].group: Invalid value: ${JSON.stringify(group)}: must be a valid group`;
    if (resourceNames.length > 0 && names.length === 0)
      yield `${at}.resources[${index}].resourceNames: Invalid value: ${JSON.stringify(resourceNames)}: using resourceNames requires at least one resource`;
  }
  yield* stageProblems(rule.omitStages, `${at}.omitStages`);
}

function* stageProblems(named: readonly string[] | undefined, at: string): Generator<string> {
  for (const [index, stage] of (named ?? []).entries())
    if (!stages.includes(stage))
      yield `${at}[${index}]: Invalid value: ${JSON.stringify(stage)}: allowed stages are ${stages.join(',')}`;
}

function matches(rule: PolicyRule, info: RequestInfo, user: UserInfo): boolean {
  const { users = [], userGroups = [], verbs = [] } = rule;
  if (users.length > 0 && !users.includes(user.name)) return false;
  if (userGroups.length > 0 && !userGroups.some((group) => user.groups.includes(group))) return false;
  if (verbs.length > 0 && !verbs.includes(info.verb)) return false;
  const { namespaces = [], resources = [], nonResourceURLs = [] } = rule;
  if (namespaces.length > 0 || resources.length > 0) return info.type === 'resource' && matchesResource(rule, info);
  if (nonResourceURLs.length > 0)
    return info.type === 'path' && nonResourceURLs.some((url) => matchesUrl(url, info.path));
  return true;
}

function matchesUrl(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

function matchesResource(
  { namespaces = [], resources = [] }: PolicyRule,
  { namespace, group: asked, resource, subresource, name }: Extract<RequestInfo, { readonly type: 'resource' }>,
): boolean {
  if (namespaces.length > 0 && !namespaces.includes(namespace)) return false;
  if (resources.length === 0) return true;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(({ group = '', resources: names = [], resourceNames = [] }) => {
    if (group !== asked) return false;
    if (names.length === 0) return true;
    if (resourceNames.length > 0 && !resourceNames.includes(name)) return false;
    return names.some(
      (pattern) =>
        pattern === '*' ||
        pattern === full ||
        (subresource !== '' && (pattern === `*/${subresource}` || pattern === `${resource}/*`)),
    );
  });
}
