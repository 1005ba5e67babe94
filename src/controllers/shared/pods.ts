import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import { isNamespaceTerminating, messageOf } from '#client/failures.ts';
import { refTo } from '#client/object-key.ts';
import { Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Pod, PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { controllerReference } from './owners.ts';

/** The longest name of a pod; what generateName adds must fit as well. */
const longestGenerateName = 253;

/** A pod made from a template, controlled by `owner`; without a name of its own. */
export function podFromTemplate<T extends ApiObject>(kind: Kind<T>, owner: T, template: PodTemplateSpec): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const prefix = `${owner.metadata.name}-`;
  return {
    metadata: {
      generateName: prefix.length > longestGenerateName ? (owner.metadata.name ?? '') : prefix,
      namespace: owner.metadata.namespace ?? '',
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(kind, owner)],
    },
    spec: template.spec ?? { containers: [] },
  };
}

interface PodWrite<T extends ApiObject> {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
  readonly kind: Kind<T>;
  readonly owner: T;
}

/** Creates the pod and says so on its owner; throws what the API answers. */
export async function createPod<T extends ApiObject>(write: PodWrite<T>, pod: Pod): Promise<Pod> {
  const { client, events, signal, kind, owner } = write;
  try {
    const created = await client.create(PodKind, pod, { signal });
    const message = `Created pod: ${created.metadata.name}`;
    events.record(kind, owner, { type: 'Normal', reason: 'SuccessfulCreate', message });
    return created;
  } catch (error) {
    if (!signal.aborted && !isNamespaceTerminating(error)) {
      const message = `Error creating: ${messageOf(error)}`;
      events.record(kind, owner, { type: 'Warning', reason: 'FailedCreate', message });
    }
    throw error;
  }
}

/** Deletes the pod and says so on its owner. A pod that is gone already is fine. */
export async function deletePod<T extends ApiObject>(write: PodWrite<T>, pod: Pod): Promise<void> {
  const { client, events, signal, kind, owner } = write;
  if (pod.metadata.deletionTimestamp !== undefined) return;
  try {
    const { uid } = pod.metadata;
    await client.delete(PodKind, refTo(pod), { ...(uid === undefined ? {} : { preconditions: { uid } }), signal });
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
    if (!signal.aborted) {
      const message = `Error deleting: ${messageOf(error)}`;
      events.record(kind, owner, { type: 'Warning', reason: 'FailedDelete', message });
    }
    throw error;
  }
  const message = `Deleted pod: ${pod.metadata.name}`;
  events.record(kind, owner, { type: 'Normal', reason: 'SuccessfulDelete', message });
}

/** Files a pod under the node it is bound to. */
export function byNodeName(pod: Pod): readonly string[] {
  const node = pod.spec?.nodeName ?? '';
  return node === '' ? [] : [node];
}

/** Marks a pod as about to be removed from outside, and why; then it is deleted. */
export async function disruptPod(
  { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
  pod: Pod,
  target: { readonly reason: string; readonly message: string; readonly nowMs: number; readonly phase?: string },
  options: { readonly gracePeriodSeconds?: number } = {},
): Promise<void> {
  const { uid, generation } = pod.metadata;
  const { reason, message, nowMs, phase } = target;
  const condition = {
    type: 'DisruptionTarget',
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    status: 'True',
    reason,
    message,
    lastTransitionTime: formatTime(nowMs),
  };
  const status = { conditions: [condition], ...(phase === undefined ? {} : { phase }) };
  const body = { metadata: { uid }, status };
  try {
    await client.patch(PodKind, refTo(pod), { type: 'strategic', body }, { subresource: 'status', signal });
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await client.delete(PodKind, refTo(pod), { ...options, ...preconditions, signal });
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
  }
}
