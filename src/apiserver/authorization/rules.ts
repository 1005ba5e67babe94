import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import { pathMatches } from '#kinds/rbac/rules.ts';
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
