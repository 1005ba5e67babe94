import { type AccessAttributes, type Authorizer, abstain, allowed } from './authorizer.ts';

interface AbacSpec {
  readonly user?: string;
  readonly group?: string;
  readonly readonly?: boolean;
  readonly apiGroup?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly nonResourcePath?: string;
}

const version = 'abac.authorization.kubernetes.io/v1beta1';
const reading = new Set(['get', 'list', 'watch']);

/** Attribute-based access control: a file with one policy a line. @throws Error with the line that cannot be read. */
export function abacAuthorizer(text: string): Authorizer {
  const policies = text.split('\n').flatMap((line, index): AbacSpec[] => {
    if (line.trim() === '' || line.trim().startsWith('#')) return [];
    try {
      const { apiVersion, kind, spec } = JSON.parse(line) as { apiVersion?: string; kind?: string; spec?: AbacSpec };
      if (apiVersion !== version || kind !== 'Policy' || spec === undefined)
        throw new Error(`expected ${version} Policy`);
      return [spec];
    } catch (error) {
      throw new Error(`error reading policy file line ${index + 1}: ${error instanceof Error ? error.message : error}`);
    }
  });
  return {
    authorize: (attributes) =>
      policies.some((policy) => matches(policy, attributes)) ? allowed : abstain('No policy matched.'),
  };
}

function matches(policy: AbacSpec, attributes: AccessAttributes): boolean {
  if (!isSubject(policy, attributes)) return false;
  if (policy.readonly === true && !reading.has(attributes.verb)) return false;
  if (attributes.resource === '') return matchesPath(policy.nonResourcePath ?? '', attributes.path);
  return (
    is(policy.namespace, attributes.namespace) &&
    is(policy.resource, attributes.resource) &&
    is(policy.apiGroup, attributes.group)
  );
}

function isSubject({ user = '', group = '' }: AbacSpec, { user: { name, groups } }: AccessAttributes): boolean {
  if (user === '' && group === '') return false;
  const isUser = user === '' || user === '*' || user === name;
  return isUser && (group === '' || group === '*' || groups.includes(group));
}

function is(pattern = '', value: string): boolean {
  return pattern === '*' || pattern === value;
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}
