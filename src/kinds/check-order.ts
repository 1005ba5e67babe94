/**
 * What upstream checks of an object, in its order, for causes are told in that order and as often as they are found.
 * Each letter is a check: `M` metadata by the kind's rules, `m` the same but for `generateName`, `U` what may not
 * change in metadata, `O` the kind's `validate`, `C` its `validateUpdate` (`validateStatusUpdate` for a status).
 * What holds of all metadata is checked besides: on create when nothing else was found, on update first of all.
 */
export interface CheckOrder {
  readonly create: string;
  readonly update: string;
  readonly status: string;
}

const usual: CheckOrder = { create: 'MO', update: 'UMOC', status: 'UC' };
const withoutMetadata: CheckOrder = { create: 'O', update: 'OC', status: 'C' };

/** Observed: what a server answers to changes that are wrong everywhere. By `group/Kind`. */
const observed: Readonly<Record<string, Partial<CheckOrder>>> = {
  '/ConfigMap': { update: 'UCMO' },
  '/Event': withoutMetadata,
  '/LimitRange': { update: 'MOC' },
  '/Namespace': { update: 'MOUC' },
  '/Node': { update: 'MOUC' },
  '/PersistentVolume': { update: 'MOMOC' },
  '/PodTemplate': { update: 'UOC' },
  '/ReplicationController': { create: 'mO', update: 'UOC' },
  '/ResourceQuota': { update: 'UOC' },
  '/Secret': { update: 'UCMO' },
  '/Service': { update: 'UCO' },
  'apps/DaemonSet': { update: 'UCO' },
  'apps/Deployment': { update: 'UOC' },
  'apps/ReplicaSet': { update: 'UOC' },
  'apps/StatefulSet': { update: 'UOC' },
  'autoscaling/HorizontalPodAutoscaler': { update: 'UOC' },
  'batch/CronJob': { update: 'UOC', status: 'C' },
  'batch/Job': { update: 'MOUC' },
  'certificates.k8s.io/CertificateSigningRequest': { update: 'MOCU', status: 'MCU' },
  'coordination.k8s.io/Lease': { update: 'UOC' },
  'discovery.k8s.io/EndpointSlice': { update: 'MOC' },
  'events.k8s.io/Event': withoutMetadata,
  'flowcontrol.apiserver.k8s.io/FlowSchema': { update: 'MOC', status: 'C' },
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': { update: 'MOC', status: 'C' },
  'networking.k8s.io/IngressClass': { update: 'UCMO' },
  'networking.k8s.io/IPAddress': { update: 'MOUC' },
  'networking.k8s.io/NetworkPolicy': { update: 'UOC' },
  'networking.k8s.io/ServiceCIDR': { update: 'UOC' },
  'node.k8s.io/RuntimeClass': { update: 'MOUC' },
  'policy/PodDisruptionBudget': withoutMetadata,
  'rbac.authorization.k8s.io/ClusterRole': { update: 'MOUC' },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { update: 'MOUC' },
  'rbac.authorization.k8s.io/Role': { update: 'MOUC' },
  'rbac.authorization.k8s.io/RoleBinding': { update: 'MOUC' },
  'resource.k8s.io/DeviceClass': { create: 'mO', update: 'mUOC' },
  'resource.k8s.io/ResourceClaim': { update: 'MOUC' },
  'resource.k8s.io/ResourceClaimTemplate': { update: 'MOUC' },
  'resource.k8s.io/ResourceSlice': { update: 'UOC' },
  'scheduling.k8s.io/PriorityClass': { update: 'UOC' },
  'storage.k8s.io/CSIDriver': { update: 'UOC' },
  'storage.k8s.io/CSINode': { update: 'MOC' },
  'storage.k8s.io/CSIStorageCapacity': { update: 'MOUC' },
  'storage.k8s.io/StorageClass': { update: 'MOUC' },
  'storage.k8s.io/VolumeAttachment': { update: 'MOC', status: 'MC' },
  'storage.k8s.io/VolumeAttributesClass': { update: 'UCMO' },
};

/** Groups whose kinds are all alike. */
const observedInGroup: Readonly<Record<string, Partial<CheckOrder>>> = {
  'admissionregistration.k8s.io': { update: 'MOC', status: 'C' },
  'apiextensions.k8s.io': { update: 'UOC' },
};

const orders = new Map(Object.entries(observed).map(([key, order]) => [key, { ...usual, ...order }]));
const groupOrders = new Map(Object.entries(observedInGroup).map(([key, order]) => [key, { ...usual, ...order }]));
/** Kinds that are defined at run time. */
export const customCheckOrder: CheckOrder = { create: 'MO', update: 'UOC', status: 'UC' };

/** Every write asks, of few handles. */
const ordersByHandle = new WeakMap<object, CheckOrder>();

export function checkOrderOf(handle: { readonly group: string; readonly kind: string }): CheckOrder {
  let order = ordersByHandle.get(handle);
  if (order === undefined) {
    const { group, kind } = handle;
    order = orders.get(`${group}/${kind}`) ?? groupOrders.get(group) ?? usual;
    ordersByHandle.set(handle, order);
  }
  return order;
}
