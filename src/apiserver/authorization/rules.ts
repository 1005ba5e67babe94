import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import type { AccessAttributes } from './authorizer.ts';

/** Whether one RBAC rule allows a request. */
export function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(attributes.verb)) return false;
  if (attributes.resource === '')
    return rule.nonResourceURLs?.some((pattern) => pathMatches(pattern, attributes.path)) ?? false;
  const { apiGroups, resources, resourceNames } = rule;
  if (!(apiGroups?.includes('*') || apiGroups?.includes(attributes.group))) return false;
  if (!(resources !== undefined && resourceMatches(resources, attributes))) return false;
  return resourceNames === undefined || resourceNames.length === 0 || resourceNames.includes(attributes.name);
}

function resourceMatches(resources: readonly string[], { resource, subresource }: AccessAttributes): boolean {
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(
    (allowed) => allowed === '*' || allowed === full || (subresource !== '' && allowed === `*/${subresource}`),
  );
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

/** The rules of `wanted` that `owned` does not grant, each broken down to one verb on one thing. */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(singleRules).filter((single) => !owned.some((rule) => covers(rule, single)));
}

/** One rule for each combination of group, resource, name and verb, and of path and verb. */
function singleRules(rule: PolicyRule): PolicyRule[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const singles: PolicyRule[] = [];
  for (const apiGroup of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const single = { apiGroups: [apiGroup], resources: [resource], verbs: [verb] };
        if (resourceNames.length === 0) singles.push(single);
        for (const name of resourceNames) singles.push({ ...single, resourceNames: [name] });
      }
  for (const url of nonResourceURLs) for (const verb of verbs) singles.push({ nonResourceURLs: [url], verbs: [verb] });
  return singles;
}

/** Whether a rule grants all that a rule about one thing does. */
function covers(
  rule: PolicyRule,
  { verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule,
): boolean {
  if (!has(rule.verbs, verbs[0]!)) return false;
  if (nonResourceURLs !== undefined)
    return rule.nonResourceURLs?.some((pattern) => pathMatches(pattern, nonResourceURLs[0]!)) ?? false;
  if (!has(rule.apiGroups, apiGroups![0]!) || !coversResource(rule.resources ?? [], resources![0]!)) return false;
  if ((rule.resourceNames ?? []).length === 0) return true;
  return resourceNames !== undefined && rule.resourceNames!.includes(resourceNames[0]!);
}

function has(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes('*') || values.includes(value));
}

function coversResource(resources: readonly string[], resource: string): boolean {
  if (has(resources, resource)) return true;
  const slash = resource.indexOf('/');
  return slash >= 0 && resources.includes(`*${resource.slice(slash)}`);
}

/** Rules about one thing and differing only in their verbs, put together again. */
function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const byThing = new Map<string, { rule: PolicyRule; verbs: string[] }>();
  for (const rule of rules) {
    const { verbs, ...thing } = rule;
    const key = JSON.stringify(thing);
    const known = byThing.get(key);
    if (known === undefined) byThing.set(key, { rule, verbs: [...verbs] });
    else known.verbs.push(...verbs.filter((verb) => !known.verbs.includes(verb)));
  }
  return [...byThing.values()].map(({ rule, verbs }) => ({ ...rule, verbs }));
}

const described = [
  ['APIGroups', 'apiGroups'],
  ['Resources', 'resources'],
  ['NonResourceURLs', 'nonResourceURLs'],
  ['ResourceNames', 'resourceNames'],
  ['Verbs', 'verbs'],
] as const;

/** One line for each thing that rules grant, in upstream's form: `{APIGroups:["apps"], Resources:["scales"], Verbs:["get"]}`. */
export function describeRules(rules: readonly PolicyRule[]): readonly string[] {
  const lines = compactRules(rules).map((rule) => {
    const parts = described.flatMap(([name, field]) => {
      const values = rule[field] ?? [];
      return values.length === 0 ? [] : [`${name}:${quotedList(values)}`];
    });
    return `{${parts.join(', ')}}`;
  });
  return [...new Set(lines)].sort();
}

/** How Go prints a list of strings with `%q`. */
export function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
