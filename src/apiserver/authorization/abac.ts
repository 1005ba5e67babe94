import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import { type AccessAttributes, type Authorizer, abstain, allowed } from './authorizer.ts';

/** Who may do what; what is not set matches only what has no such thing. */
interface Policy {
  readonly user?: string;
  readonly group?: string;
  readonly readonly?: boolean;
  readonly apiGroup?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly nonResourcePath?: string;
}

interface PolicyLine extends Policy {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly spec?: Policy;
}

const version = 'abac.authorization.kubernetes.io/v1beta1';
const everybody = 'system:authenticated';
const reading = ['get', 'list', 'watch'];

/** Attribute-based access control: a file with one policy a line. @throws Error with the line that cannot be read. */
export function abacAuthorizer(text: string): Authorizer {
  const policies = text.split('\n').flatMap((line, index): Policy[] => {
    if (line.trim() === '' || line.trim().startsWith('#')) return [];
    try {
      return [readPolicy(JSON.parse(line) as PolicyLine)];
    } catch (error) {
      throw new Error(`error reading policy file line ${index + 1}: ${error instanceof Error ? error.message : error}`);
    }
  });
  return {
    authorize: (attributes) =>
      policies.some((policy) => matches(policy, attributes)) ? allowed : abstain('No policy matched.'),
    rulesFor: (user, namespace) => ({
      rules: policies
        .filter((policy) => isSubject(policy, user) && is(policy.namespace, namespace))
        .flatMap((policy) => rulesOf(policy)),
    }),
  };
}

function readPolicy({ apiVersion = '', kind = '', spec, ...line }: PolicyLine): Policy {
  if (apiVersion === '' && (kind === '' || kind === 'Policy')) return unversioned(line);
  if (apiVersion !== version || kind !== 'Policy') throw new Error(`expected ${version} Policy`);
  return forEverybody(spec ?? {});
}

function forEverybody(policy: Policy): Policy {
  return policy.user === '*' || policy.group === '*' ? { ...policy, user: '', group: everybody } : policy;
}

/** The form before there were versions, in which what is left out matches everything. */
function unversioned({ user = '', group = '', readonly = false, namespace = '', resource = '' }: Policy): Policy {
  return forEverybody({
    user,
    group: user === '' && group === '' ? everybody : group,
    readonly,
    namespace: namespace === '' ? '*' : namespace,
    resource: resource === '' ? '*' : resource,
    apiGroup: '*',
    nonResourcePath: namespace === '' && resource === '' ? '*' : '',
  });
}

function matches(policy: Policy, attributes: AccessAttributes): boolean {
  if (!isSubject(policy, attributes.user)) return false;
  if (policy.readonly === true && !reading.includes(attributes.verb)) return false;
  if (attributes.path !== '') return matchesPath(policy.nonResourcePath ?? '', attributes.path);
  return (
    is(policy.namespace, attributes.namespace) &&
    is(policy.resource, attributes.resource) &&
    is(policy.apiGroup, attributes.group)
  );
}

function isSubject({ user = '', group = '' }: Policy, { name, groups }: AccessAttributes['user']): boolean {
  if (user === '' && group === '') return false;
  return (user === '' || user === name) && (group === '' || groups.includes(group));
}

function is(pattern = '', value: string): boolean {
  return pattern === '*' || pattern === value;
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')));
}

function rulesOf({ readonly, apiGroup = '', resource = '', nonResourcePath = '' }: Policy): readonly PolicyRule[] {
  const verbs = readonly === true ? reading : ['*'];
  return [
    ...(resource === '' ? [] : [{ verbs, apiGroups: [apiGroup], resources: [resource] }]),
    ...(nonResourcePath === '' ? [] : [{ verbs, nonResourceURLs: [nonResourcePath] }]),
  ];
}
