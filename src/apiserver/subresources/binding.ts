import type { Binding, Pod, PodCondition } from '#kinds/generated/types/core_v1.ts';
import { cloneJson } from '#machinery/clone.ts';
import { ApiError, badRequest, conflict } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { checkNamespace } from '../registry/location.ts';
import { unmetPrecondition } from '../registry/preconditions.ts';
import { updateObject } from '../registry/update.ts';
import { checkAdmission, type SubresourceHandler } from './handler.ts';

/** The scheduler's decision: a pod gets its node, once. */
export const binding: SubresourceHandler = {
  async create(registry, operation) {
    const { name } = operation;
    const { target, metadata } = operation.body as Binding;
    if ((metadata?.name ?? '') !== name) throw badRequest('name in URL does not match name in Binding object');
    checkNamespace(operation, metadata);
    const nodeName = targetNode(target);
    const { uid, resourceVersion, annotations, labels } = metadata ?? {};
    const bind = (current: ApiObject): Mutable<ApiObject> => {
      const pod = cloneJson(current) as unknown as Mutable<Pod>;
      if (uid !== undefined && uid !== pod.metadata.uid)
        throw unmetPrecondition(operation, ['UID', uid], pod.metadata.uid);
      if (resourceVersion !== undefined && resourceVersion !== pod.metadata.resourceVersion)
        throw unmetPrecondition(operation, ['ResourceVersion', resourceVersion], pod.metadata.resourceVersion);
      if (pod.metadata.deletionTimestamp !== undefined)
        throw conflict(boundResource, name, `pod ${name} is being deleted, cannot be assigned to a host`);
      if ((pod.spec.nodeName ?? '') !== '')
        throw conflict(boundResource, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
      if ((pod.spec.schedulingGates ?? []).length > 0)
        throw conflict(boundResource, name, `pod ${name} has non-empty .spec.schedulingGates`);
      pod.spec.nodeName = nodeName;
      if (annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
      if (labels !== undefined) pod.metadata.labels = { ...labels, ...pod.metadata.labels };
      markScheduled(pod, formatTime(registry.environment.clock.now()));
      if (resourceVersion === undefined) delete pod.metadata.resourceVersion;
      return pod as unknown as Mutable<ApiObject>;
    };
    await checkAdmission(registry, operation, bindingKind);
    const rules = { prepare: () => {}, keepsGeneration: true };
    // Nobody comes to own what a binding sets.
    await updateObject(registry, operation, bind, { rules, admission: false, managesFields: true });
    return { type: 'status', status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
  },
};

/** The node that a pod is bound to. @throws ApiError 500: upstream tells of these as of failures of its own. */
export function targetNode({ kind = '', name = '' }: Partial<Binding['target']> = {}): string {
  if (kind !== '' && kind !== 'Node')
    throw new ApiError(
      500,
      '',
      `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`,
    );
  if (name === '') throw new ApiError(500, '', 'target.name: Required value');
  return name;
}

/** How upstream names what could not be bound. */
const boundResource = { group: '', resource: 'pods/binding' };
const bindingKind = { group: '', version: 'v1', kind: 'Binding' };

function markScheduled(pod: Mutable<Pod>, now: string): void {
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True', lastTransitionTime: now };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  pod.status = { ...pod.status, conditions: [...others, scheduled] } as Mutable<NonNullable<Pod['status']>>;
}
