import { age, containerCells, labelsCell, name, selectorCell } from '#kinds/cells.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import { parseApiVersion } from '#machinery/meta.ts';

export function controllerRevisionCells(revision: apps.ControllerRevision, now: number): readonly Cell[] {
  const owner = revision.metadata.ownerReferences?.find(({ controller }) => controller === true);
  let controller = '<none>';
  if (owner !== undefined) {
    const { group } = parseApiVersion(owner.apiVersion);
    const kind = owner.kind.toLowerCase();
    controller = `${group === '' ? kind : `${kind}.${group}`}/${owner.name}`;
  }
  return [name(revision), controller, revision.revision, age(revision, now)];
}

export function daemonSetCells(set: apps.DaemonSet, now: number): readonly Cell[] {
  const { status } = set;
  const { template } = set.spec;
  return [
    name(set),
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    labelsCell(template.spec?.nodeSelector),
    age(set, now),
    ...containerCells(template.spec?.containers),
    selectorCell(set.spec.selector),
  ];
}

export function deploymentCells(deployment: apps.Deployment, now: number): readonly Cell[] {
  const { spec, status } = deployment;
  return [
    name(deployment),
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    age(deployment, now),
    ...containerCells(spec.template.spec?.containers),
    selectorCell(spec.selector),
  ];
}

export function replicaSetCells(set: apps.ReplicaSet, now: number): readonly Cell[] {
  const { spec, status } = set;
  return [
    name(set),
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(set, now),
    ...containerCells(spec.template?.spec?.containers),
    selectorCell(spec.selector),
  ];
}

export function statefulSetCells(set: apps.StatefulSet, now: number): readonly Cell[] {
  const ready = `${set.status?.readyReplicas ?? 0}/${set.spec.replicas ?? 0}`;
  return [name(set), ready, age(set, now), ...containerCells(set.spec.template.spec?.containers)];
}
