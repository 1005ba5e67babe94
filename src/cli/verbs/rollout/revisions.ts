import { formatLabelSelector } from '#machinery/labels.ts';
import type { JsonObject, ObjectMeta } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { metadataOf, valueAt } from '../../manifests/objects.ts';
import type { LoadedTarget } from '../../manifests/targets.ts';
import { fetchObjects } from '../../resources/fetch.ts';

/** One state that a workload has been in. */
export interface Revision {
  readonly number: number;
  readonly metadata: ObjectMeta;
  /** The pod template of then. */
  readonly template: JsonObject;
  readonly object: JsonObject;
}

const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const changeCauseAnnotation = 'kubernetes.io/change-cause';

/** All states that the server still knows, the oldest first. Throws CliError for kinds without a history. */
export async function revisionsOf(context: CommandContext, target: LoadedTarget): Promise<readonly Revision[]> {
  const { info, object } = target;
  const isDeployment = info.kind === 'Deployment';
  if (!isDeployment && info.kind !== 'DaemonSet' && info.kind !== 'StatefulSet') {
    throw new CliError(`no history viewer has been implemented for ${JSON.stringify(info.kind)}`);
  }
  const mapper = await context.mapper();
  const kept = mapper.resource(isDeployment ? 'replicasets.apps' : 'controllerrevisions.apps');
  const labelSelector = formatLabelSelector(valueAt(object, 'spec', 'selector') as never);
  const { uid } = metadataOf(object);
  const objects = await fetchObjects(context, { info: kept, namespace: target.namespace, labelSelector });
  return objects
    .filter((each) => metadataOf(each).ownerReferences?.some((owner) => owner.uid === uid))
    .map((each) => (isDeployment ? ofReplicaSet(each) : ofControllerRevision(each)))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
}

function ofReplicaSet(object: JsonObject): Revision {
  const metadata = metadataOf(object);
  const template = (valueAt(object, 'spec', 'template') ?? {}) as JsonObject;
  return { number: Number(metadata.annotations?.[revisionAnnotation] ?? 0), metadata, template, object };
}

function ofControllerRevision(object: JsonObject): Revision {
  const { $patch: _, ...template } = (valueAt(object, 'data', 'spec', 'template') ?? {}) as JsonObject;
  return { number: Number(object['revision'] ?? 0), metadata: metadataOf(object), template, object };
}
