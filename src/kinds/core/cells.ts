import { age, containerCells, labelsCell, listWithMore, name } from '#kinds/cells.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import { formatLabels } from '#machinery/labels.ts';

/** Cells of the core group's tables; pods, services and events have files of their own. */

export function componentStatusCells(component: core.ComponentStatus): readonly Cell[] {
  const healthy = component.conditions?.find(({ type }) => type === 'Healthy');
  const status = healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
  return [name(component), status, healthy?.message ?? '', healthy?.error ?? ''];
}

export function configMapCells(map: core.ConfigMap, now: number): readonly Cell[] {
  const count = Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length;
  return [name(map), count, age(map, now)];
}

const shownEndpoints = 3;

export function endpointsCells(endpoints: core.Endpoints, now: number): readonly Cell[] {
  const addresses = (endpoints.subsets ?? []).flatMap(({ addresses: list = [], ports = [] }) => {
    const hosts = list.map(({ ip }) => ip);
    if (ports.length === 0) return hosts;
    return ports.flatMap(({ port }) => hosts.map((host) => `${host.includes(':') ? `[${host}]` : host}:${port}`));
  });
  const nothing = (endpoints.subsets ?? []).length === 0 ? '<none>' : '';
  return [name(endpoints), listWithMore(addresses, shownEndpoints, nothing), age(endpoints, now)];
}

export function namespaceCells(namespace: core.Namespace, now: number): readonly Cell[] {
  return [name(namespace), namespace.status?.phase ?? '', age(namespace, now)];
}

const rolePrefix = 'node-role.kubernetes.io/';

export function nodeCells(node: core.Node, now: number): readonly Cell[] {
  const info = node.status?.nodeInfo;
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const status = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (node.spec.unschedulable === true) status.push('SchedulingDisabled');
  const kernel = info?.kernelVersion || '<unknown>';
  const architecture = info?.architecture ?? '';
  return [
    name(node),
    status.join(','),
    nodeRoles(node).join(',') || '<none>',
    age(node, now),
    info?.kubeletVersion ?? '',
    nodeAddress(node, 'InternalIP'),
    nodeAddress(node, 'ExternalIP'),
    info?.osImage || '<unknown>',
    architecture === '' ? kernel : `${kernel} (${architecture})`,
    info?.containerRuntimeVersion || '<unknown>',
  ];
}

function nodeRoles(node: core.Node): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return [...roles].sort();
}

function nodeAddress(node: core.Node, type: string): string {
  return node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';
}

const accessModes: readonly (readonly [mode: string, short: string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

function accessModesCell(modes: readonly string[] | undefined): string {
  return accessModes
    .filter(([mode]) => modes?.includes(mode) === true)
    .map(([, short]) => short)
    .join(',');
}

const betaClass = 'volume.beta.kubernetes.io/storage-class';

export function persistentVolumeCells(volume: core.PersistentVolume, now: number): readonly Cell[] {
  const { spec, status, metadata } = volume;
  const claim = spec.claimRef;
  return [
    name(volume),
    spec.capacity?.['storage'] ?? '0',
    accessModesCell(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    claim === undefined ? '' : `${claim.namespace ?? ''}/${claim.name ?? ''}`,
    metadata.annotations?.[betaClass] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    age(volume, now),
    spec.volumeMode ?? '<unset>',
  ];
}

export function persistentVolumeClaimCells(claim: core.PersistentVolumeClaim, now: number): readonly Cell[] {
  const { spec = {}, status, metadata } = claim;
  const isBound = (spec.volumeName ?? '') !== '';
  return [
    name(claim),
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    spec.volumeName ?? '',
    isBound ? (status?.capacity?.['storage'] ?? '0') : '',
    isBound ? accessModesCell(status?.accessModes) : '',
    metadata.annotations?.[betaClass] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    age(claim, now),
    spec.volumeMode ?? '<unset>',
  ];
}

export function podTemplateCells(object: core.PodTemplate): readonly Cell[] {
  return [
    name(object),
    ...containerCells(object.template?.spec?.containers),
    labelsCell(object.template?.metadata?.labels),
  ];
}

export function replicationControllerCells(controller: core.ReplicationController, now: number): readonly Cell[] {
  const { spec, status } = controller;
  return [
    name(controller),
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    age(controller, now),
    ...containerCells(spec.template?.spec?.containers),
    labelsCell(spec.selector),
  ];
}

export function resourceQuotaCells(quota: core.ResourceQuota, now: number): readonly Cell[] {
  const { hard = {}, used = {} } = quota.status ?? {};
  const column = (isLimit: boolean): string =>
    Object.keys(hard)
      .sort()
      .filter((resource) => resource.startsWith('limits.') === isLimit)
      .map((resource) => `${resource}: ${used[resource] ?? '0'}/${hard[resource]}`)
      .join(', ');
  return [name(quota), column(false), column(true), age(quota, now)];
}

export function secretCells(secret: core.Secret, now: number): readonly Cell[] {
  return [name(secret), secret.type ?? '', Object.keys(secret.data ?? {}).length, age(secret, now)];
}

export function serviceAccountCells(account: core.ServiceAccount, now: number): readonly Cell[] {
  return [name(account), age(account, now)];
}

export function serviceCells(service: core.Service, now: number): readonly Cell[] {
  const { spec } = service;
  const ports = (spec.ports ?? []).map(({ port, nodePort = 0, protocol }) =>
    nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return [
    name(service),
    spec.type ?? '',
    spec.clusterIPs?.[0] ?? '<none>',
    externalIp(service),
    ports.join(',') || '<none>',
    age(service, now),
    formatLabels(spec.selector) || '<none>',
  ];
}

function externalIp({ spec, status }: core.Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || '<none>';
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? ''));
      const addresses = [...new Set(ingress.filter((address) => address !== ''))].sort();
      return [...addresses, ...external].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}
