import { defineController, done } from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { ClusterRole as ClusterRoleKind } from '#kinds/generated/handles.ts';
import type { ClusterRole, PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { selects } from '#machinery/labels.ts';

/** Keeps ClusterRoles that are put together from others (`admin`, `edit`, `view`) in step with their parts. */
export const clusterRoleAggregation = defineController({
  name: 'clusterrole-aggregation-controller',
  queue: 'ClusterRoleAggregator',
  workers: 5,
  setup(context) {
    // A change of any role may concern every aggregated one; there are few of them.
    const roles: Informer<ClusterRole> = context.watch(ClusterRoleKind, () => {
      return [...roles.list()]
        .filter((role) => role.aggregationRule !== undefined)
        .map(({ metadata }) => metadata.name ?? '');
    });
    return async (name, { client, signal }) => {
      const role = roles.get(undefined, name);
      if (role?.aggregationRule === undefined) return done;
      const rules = combinedRules(role, [...roles.list()]);
      if (equalValues(rules, role.rules ?? [])) return done;
      await client.update(ClusterRoleKind, { ...role, rules }, { signal });
      return done;
    };
  },
});

/** The rules of every selected role, in order of the selectors, then of the names; each rule once. */
function combinedRules(
  { metadata, aggregationRule }: ClusterRole,
  roles: readonly ClusterRole[],
): readonly PolicyRule[] {
  const sorted = roles.filter((role) => role.metadata.name !== metadata.name);
  sorted.sort((left, right) => ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1));
  const combined: PolicyRule[] = [];
  for (const selector of aggregationRule?.clusterRoleSelectors ?? []) {
    for (const role of sorted.filter((other) => selects(selector, other.metadata.labels))) {
      for (const rule of role.rules ?? []) if (!combined.some((known) => equalValues(known, rule))) combined.push(rule);
    }
  }
  return combined;
}
