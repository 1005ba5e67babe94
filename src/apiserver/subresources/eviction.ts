import { PodDisruptionBudget } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PodDisruptionBudget as Budget, Eviction } from '#kinds/generated/types/policy_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { ApiError, badRequest, isReason, notFound } from '#machinery/errors.ts';
import { selects } from '#machinery/labels.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { checkDeletionPreconditions, deleteObject } from '../registry/delete.ts';
import { checkDeletion } from '../registry/deletion-options.ts';
import { checkNamespace } from '../registry/location.ts';
import type { DeletionOptions, Operation } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { updateObject } from '../registry/update.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { withCondition } from './conditions.ts';
import { stillProcessed, takeDisruption } from './disruption-budget.ts';
import { checkAdmission, type SubresourceHandler } from './handler.ts';

const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' };

/** A pod that others write to meanwhile is looked at anew, so often. */
const maxAttempts = 20;

/** A deletion that asks the pod's disruption budget first. */
export const eviction: SubresourceHandler = {
  async create(registry, asked) {
    const { metadata = {}, deleteOptions } = asked.body as Eviction;
    if ((metadata.name ?? '') !== asked.name) throw badRequest('name in URL does not match name in Eviction object');
    checkNamespace(asked, metadata);
    const deletion = (deleteOptions ?? {}) as DeletionOptions;
    checkDryRun(asked, deletion);
    // A dry run may be asked for in the body alone, as `kubectl drain` does.
    const isDryRun = deletion.dryRun?.includes('All') === true;
    const operation: Operation = isDryRun ? { ...asked, options: { ...asked.options, dryRun: true } } : asked;
    await checkAdmission(registry, operation, evictionKind);
    podOf(operation);
    await evict(registry, operation, checkDeletion(deletion));
    return { type: 'status', status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
  },
};

/** Query and body may say the same of a dry run. @throws ApiError 500 where they do not, as upstream. */
function checkDryRun({ options }: Operation, { dryRun = [] }: DeletionOptions): void {
  if (options.dryRun !== true || dryRun.length === 0 || (dryRun.length === 1 && dryRun[0] === 'All')) return;
  const why = `Non-matching dry-run options in request and content: [All] and [${dryRun.join(' ')}]`;
  throw new ApiError(500, '', why);
}

async function evict(registry: Registry, operation: Operation, deletion: DeletionOptions): Promise<void> {
  const isPinned = deletion.preconditions?.resourceVersion !== undefined;
  for (let attempt = 1; ; attempt++) {
    const pod = podOf(operation);
    if (!needsNoBudget(pod)) break;
    // A pod that has not begun to run may begin to while it is looked at, and then counts.
    const isSure = isOver(pod) || isPinned;
    try {
      return await remove(registry, operation, isSure ? deletion : pinnedTo(pod, deletion));
    } catch (error) {
      if (isPinned || !isReason(error, 'Conflict') || attempt === maxAttempts) throw error;
    }
  }
  const pod = podOf(operation);
  const budget = budgetOf(registry, operation, pod);
  if (budget === undefined) return remove(registry, operation, deletion);
  if (!isSpared(pod, budget)) {
    await takeFromBudget(registry, operation, budget);
    return remove(registry, operation, deletion);
  }
  try {
    await remove(registry, operation, isPinned ? deletion : pinnedTo(pod, deletion));
  } catch (error) {
    // It was judged as it is no longer: its evictor shall ask again.
    if (!isPinned && isReason(error, 'Conflict')) throw stillProcessed(budget.metadata.name ?? '');
    throw error;
  }
}

function podOf({ resource, name, namespace }: Operation): Pod {
  const entry = resource.storage!.cache.get(objectKey({ namespace, name }));
  if (entry === undefined) throw notFound(resource.kind, name);
  return entry.value.object as Pod;
}

function isOver({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function needsNoBudget(pod: Pod): boolean {
  return isOver(pod) || pod.status?.phase === 'Pending';
}

/** Whether a pod that is not ready may go without counting (KEP-3017). */
function isSpared({ status }: Pod, budget: Budget): boolean {
  if (status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')) return false;
  if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

function pinnedTo({ metadata }: Pod, deletion: DeletionOptions): DeletionOptions {
  const resourceVersion = metadata.resourceVersion ?? '';
  return { ...deletion, preconditions: { ...deletion.preconditions, resourceVersion } };
}

/** Notes on the pod why it goes, and deletes it. */
async function remove(registry: Registry, operation: Operation, asked: DeletionOptions): Promise<void> {
  let deletion = asked;
  if (operation.options.dryRun !== true) {
    await markDisrupted(registry, operation, asked);
    if (asked.preconditions?.resourceVersion !== undefined) deletion = pinnedTo(podOf(operation), asked);
  }
  const options = { ...operation.options, deletion };
  await deleteObject(registry, { ...operation, verb: 'delete', subresource: '', options }, { admission: false });
}

/** Says on the pod why it goes, so that its owner need not count it as a failure (KEP-3329). */
async function markDisrupted(
  registry: Registry,
  operation: Operation,
  { preconditions }: DeletionOptions,
): Promise<void> {
  const now = formatTime(registry.environment.clock.now());
  // An empty one asks for nothing here.
  const asked = Object.fromEntries(Object.entries(preconditions ?? {}).filter(([, value]) => value !== ''));
  const mark = (current: ApiObject): Mutable<ApiObject> => {
    checkDeletionPreconditions(operation, asked, current);
    const pod = cloneJson(current) as unknown as Mutable<Pod>;
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    } as const;
    const conditions = withCondition(pod.status?.conditions, condition, now);
    pod.status = { ...pod.status, conditions } as Mutable<NonNullable<Pod['status']>>;
    delete pod.metadata.resourceVersion;
    return pod as unknown as Mutable<ApiObject>;
  };
  const write: Operation = { ...operation, subresource: 'status', verb: 'patch' };
  await updateObject(registry, write, mark, { admission: false });
}

/** The one budget that guards the pod. @throws ApiError 500 when there are several. */
function budgetOf(registry: Registry, { namespace }: Operation, pod: Pod): Budget | undefined {
  const matching: Budget[] = [];
  for (const entry of registry.resources.of(PodDisruptionBudget).storage!.cache.entries(namespace)) {
    const budget = entry.value.object as Budget;
    if (selects(budget.spec.selector, pod.metadata.labels)) matching.push(budget);
  }
  const detail = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
  if (matching.length > 1) throw new ApiError(500, '', detail);
  return matching[0];
}

async function takeFromBudget(registry: Registry, operation: Operation, { metadata }: Budget): Promise<void> {
  const now = formatTime(registry.environment.clock.now());
  const resource = registry.resources.of(PodDisruptionBudget);
  const write: Operation = { ...operation, resource, subresource: 'status', verb: 'patch', name: metadata.name! };
  const take = (current: ApiObject): Mutable<ApiObject> => {
    const budget = cloneJson(current) as unknown as Mutable<Budget>;
    takeDisruption(budget, operation.name, now);
    delete budget.metadata.resourceVersion;
    return budget as unknown as Mutable<ApiObject>;
  };
  await updateObject(registry, write, take, { admission: false });
}
