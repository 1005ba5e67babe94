import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';

/** Whether a path of a rule, which may end in `*`, takes in another. */
export function pathMatches(pattern: string, path: string): boolean {
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
