import { PodDisruptionBudget } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PodDisruptionBudget as Budget, Eviction } from '#kinds/generated/types/policy_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { ApiError, notFound } from '#machinery/errors.ts';
import { selects } from '#machinery/labels.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { deleteObject } from '../registry/delete.ts';
import type { DeletionOptions, Operation } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { updateObject } from '../registry/update.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { checkAdmission, type SubresourceHandler } from './handler.ts';

const budgetCause = 'DisruptionBudget';
const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' };

/** A deletion that asks the pod's disruption budget first. */
export const eviction: SubresourceHandler = {
  async create(registry, asked) {
    const { resource, name, namespace } = asked;
    const { deleteOptions } = asked.body as Eviction;
    // A dry run may be asked for in the body alone, as `kubectl drain` does.
    const isDryRun = deleteOptions?.dryRun?.includes('All') === true;
    const operation: Operation = isDryRun ? { ...asked, options: { ...asked.options, dryRun: true } } : asked;
    await checkAdmission(registry, operation, evictionKind);
    const entry = resource.storage!.cache.get(objectKey({ namespace, name }));
    if (entry === undefined) throw notFound(resource.kind, name);
    const pod = entry.value.object as Pod;
    const deletion = (deleteOptions ?? {}) as DeletionOptions;
    const gone =
      pod.metadata.deletionTimestamp !== undefined ||
      pod.status?.phase === 'Succeeded' ||
      pod.status?.phase === 'Failed';
    if (!gone && pod.status?.phase !== 'Pending') await takeFromBudget(registry, operation, pod);
    if (!gone) await markDisrupted(registry, operation);
    const options = { ...operation.options, deletion };
    await deleteObject(registry, { ...operation, verb: 'delete', subresource: '', options }, { admission: false });
    return { type: 'status', status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
  },
};

/** Says on the pod why it goes, so that its owner need not count it as a failure (KEP-3329). */
async function markDisrupted(registry: Registry, operation: Operation): Promise<void> {
  const now = formatTime(registry.environment.clock.now());
  const mark = (current: ApiObject): Mutable<ApiObject> => {
    const pod = cloneJson(current) as unknown as Mutable<Pod>;
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
      lastTransitionTime: now,
    };
    pod.status = { ...pod.status, conditions: [...others, condition] } as Mutable<NonNullable<Pod['status']>>;
    delete pod.metadata.resourceVersion;
    return pod as unknown as Mutable<ApiObject>;
  };
  const write: Operation = { ...operation, subresource: 'status', verb: 'patch' };
  await updateObject(registry, write, mark, { admission: false });
}

async function takeFromBudget(registry: Registry, operation: Operation, pod: Pod): Promise<void> {
  const budgets = registry.resources.of(PodDisruptionBudget);
  const matching: Budget[] = [];
  for (const entry of budgets.storage!.cache.entries(operation.namespace)) {
    const budget = entry.value.object as Budget;
    if (selects(budget.spec.selector, pod.metadata.labels)) matching.push(budget);
  }
  const budget = matching[0];
  if (budget === undefined) return;
  if (matching.length > 1) {
    throw new ApiError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const { name } = operation;
  const take = (current: ApiObject): Mutable<ApiObject> => {
    const next = cloneJson(current) as unknown as Mutable<Budget>;
    checkAllowed(next as Budget);
    const status = next.status!;
    status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
    status.disruptedPods = { ...status.disruptedPods, [name]: formatTime(registry.environment.clock.now()) };
    delete next.metadata.resourceVersion;
    return next as unknown as Mutable<ApiObject>;
  };
  await updateObject(
    registry,
    { ...operation, resource: budgets, subresource: 'status', verb: 'patch', name: budget.metadata.name! },
    take,
    { admission: false },
  );
}

function checkAllowed({ metadata, status }: Budget): void {
  const name = metadata.name ?? '';
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if ((status.disruptionsAllowed ?? 0) > 0) return;
  const healthy = `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`;
  throw refused(healthy, undefined);
}

function refused(message: string, retryAfterSeconds: number | undefined): ApiError {
  const details = {
    causes: [{ reason: budgetCause, message }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  return new ApiError(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    details,
  );
}
