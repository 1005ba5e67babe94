import { describeGeneric } from './generic.ts';
import { describeBinding, describeRole } from './kinds/access.ts';
import { describeCronJob, describeJob } from './kinds/batch.ts';
import {
  describeConfigMap,
  describeLimitRange,
  describeNamespace,
  describeQuota,
  describeSecret,
  describeServiceAccount,
} from './kinds/config.ts';
import { describeEndpointSlice, describeEndpoints, describeIngressClass } from './kinds/endpoints.ts';
import { describeIngress, describeService } from './kinds/network.ts';
import { describeNetworkPolicy } from './kinds/network-policy.ts';
import { describeNode } from './kinds/node.ts';
import { describePod } from './kinds/pod.ts';
import { describeAutoscaler, describeBudget, describePriorityClass } from './kinds/policies.ts';
import { describeClaim, describeStorageClass, describeVolume } from './kinds/storage.ts';
import { describeDaemonSet, describeDeployment, describeReplicaSet, describeStatefulSet } from './kinds/workloads.ts';
import type { DescribeOptions } from './related.ts';
import type { Described, Sheet } from './sheet.ts';

type Describer = (sheet: Sheet, object: Described, options: DescribeOptions) => Promise<void>;

/** The table where an object's kind says of what type it is. */
const describer = <T>(describe: (sheet: Sheet, object: T, options: DescribeOptions) => Promise<void>): Describer =>
  describe as unknown as Describer;

/** By kind and group: `Pod`, `Deployment.apps`. */
const describers: Readonly<Record<string, Describer>> = {
  'ClusterRole.rbac.authorization.k8s.io': describer(describeRole),
  'ClusterRoleBinding.rbac.authorization.k8s.io': describer(describeBinding),
  ConfigMap: describer(describeConfigMap),
  'CronJob.batch': describer(describeCronJob),
  'DaemonSet.apps': describer(describeDaemonSet),
  'Deployment.apps': describer(describeDeployment),
  'EndpointSlice.discovery.k8s.io': describer(describeEndpointSlice),
  Endpoints: describer(describeEndpoints),
  'HorizontalPodAutoscaler.autoscaling': describer(describeAutoscaler),
  'IngressClass.networking.k8s.io': describer(describeIngressClass),
  'PodDisruptionBudget.policy': describer(describeBudget),
  'PriorityClass.scheduling.k8s.io': describer(describePriorityClass),
  'Ingress.networking.k8s.io': describer(describeIngress),
  'Job.batch': describer(describeJob),
  LimitRange: describer(describeLimitRange),
  Namespace: describer(describeNamespace),
  'NetworkPolicy.networking.k8s.io': describer(describeNetworkPolicy),
  Node: describer(describeNode),
  PersistentVolume: describer(describeVolume),
  PersistentVolumeClaim: describer(describeClaim),
  Pod: describer(describePod),
  'ReplicaSet.apps': describer(describeReplicaSet),
  ReplicationController: describer(describeReplicaSet),
  ResourceQuota: describer(describeQuota),
  'Role.rbac.authorization.k8s.io': describer(describeRole),
  'RoleBinding.rbac.authorization.k8s.io': describer(describeBinding),
  Secret: describer(describeSecret),
  Service: describer(describeService),
  ServiceAccount: describer(describeServiceAccount),
  'StatefulSet.apps': describer(describeStatefulSet),
  'StorageClass.storage.k8s.io': describer(describeStorageClass),
};

export function describerOf(kind: string, group: string): Describer {
  return describers[group === '' ? kind : `${kind}.${group}`] ?? describeGeneric;
}
