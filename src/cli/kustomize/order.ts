import { CliError } from '../failures.ts';
import type { SortOptions } from './kustomization.ts';
import { currentId, namespaceOf, type Resource } from './resource.ts';

const first =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget'.split(
    ' ',
  );
const last = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** The resources as they came (`fifo`), or in the `legacy` order: what others need comes first. Throws CliError. */
export function inOrder(
  resources: readonly Resource[],
  options: SortOptions = { order: 'legacy' },
): readonly Resource[] {
  const { order = 'fifo', legacySortOptions } = options;
  if (order !== 'fifo' && order !== 'legacy') {
    throw new CliError(`the field 'sortOptions.order' must be one of [fifo, legacy]`);
  }
  if (order === 'fifo') {
    if (legacySortOptions === undefined) return resources;
    throw new CliError(
      `the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'`,
    );
  }
  const { orderFirst = first, orderLast = last } = legacySortOptions ?? {
    orderFirst: first,
    orderLast: last,
  };
  const rank = (kind: string): number => {
    const late = orderLast.indexOf(kind);
    return late >= 0 ? late + 1 : orderFirst.includes(kind) ? orderFirst.indexOf(kind) - orderFirst.length : 0;
  };
  const keyed = resources.map((resource) => {
    const { group, version, kind, name } = currentId(resource);
    const type = `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
    return { resource, rank: rank(kind), key: `${type}|${namespaceOf(resource) || '~X'}|${name || '~N'}` };
  });
  return keyed
    .sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ resource }) => resource);
}
