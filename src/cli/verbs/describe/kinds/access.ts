import type { ClusterRole, PolicyRule, RoleBinding } from '#kinds/generated/types/rbac_v1.ts';
import type { Sheet } from '../sheet.ts';

/** Roles and cluster roles. */
export async function describeRole(sheet: Sheet, role: ClusterRole): Promise<void> {
  sheet.field('Name', role.metadata.name ?? '');
  sheet.labels('Labels', role.metadata.labels);
  sheet.annotations(role.metadata.annotations);
  sheet.line(0, 'PolicyRule:');
  sheet.line(1, 'Resources\tNon-Resource URLs\tResource Names\tVerbs');
  sheet.line(1, '---------\t-----------------\t--------------\t-----');
  const list = (values: readonly string[] | undefined): string => `[${(values ?? []).join(' ')}]`;
  for (const rule of singleRules(role.rules ?? [])) {
    const [resource = ''] = rule.resources ?? [];
    const [group = ''] = rule.apiGroups ?? [];
    const [main = '', subresource] = resource.split('/');
    const name = `${main}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
    sheet.line(1, `${name}\t${list(rule.nonResourceURLs)}\t${list(rule.resourceNames)}\t${list(rule.verbs)}`);
  }
}

/** A rule for each resource, with the verbs of all rules that speak of it. */
function singleRules(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  const single = rules.flatMap((rule): readonly PolicyRule[] =>
    (rule.resources ?? []).length === 0
      ? [rule]
      : (rule.resources ?? []).flatMap((resource) =>
          (rule.apiGroups ?? []).flatMap((group) =>
            (rule.resourceNames ?? []).length === 0
              ? [{ verbs: rule.verbs, resources: [resource], apiGroups: [group] }]
              : rule.resourceNames!.map((name) => ({
                  verbs: rule.verbs,
                  resources: [resource],
                  apiGroups: [group],
                  resourceNames: [name],
                })),
          ),
        ),
  );
  for (const rule of single) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);
    merged.set(key, { ...rule, verbs: [...new Set([...(merged.get(key)?.verbs ?? []), ...rule.verbs])] });
  }
  const list = (values: readonly string[] = []): string => `[${values.join(' ')}]`;
  const key = ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string =>
    [verbs, apiGroups, resources, resourceNames, nonResourceURLs].map(list).join(',');
  return [...merged.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Role bindings and cluster role bindings. */
export async function describeBinding(sheet: Sheet, { metadata, roleRef, subjects = [] }: RoleBinding): Promise<void> {
  sheet.field('Name', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  sheet.line(0, 'Role:');
  sheet.field('Kind', roleRef.kind, 1);
  sheet.field('Name', roleRef.name, 1);
  sheet.line(0, 'Subjects:');
  sheet.line(1, 'Kind\tName\tNamespace');
  sheet.line(1, '----\t----\t---------');
  for (const { kind, name, namespace = '' } of subjects) sheet.line(1, `${kind}\t${name}\t${namespace}`);
}
