import type { ApiObject, GroupVersionKind } from '#machinery/meta.ts';
import {
  mutatingAdmissionPolicyBindingRules,
  mutatingAdmissionPolicyRules,
  mutatingWebhookConfigurationRules,
  validatingAdmissionPolicyBindingRules,
  validatingAdmissionPolicyRules,
  validatingWebhookConfigurationRules,
} from './admissionregistration/rules.ts';
import { daemonSetRules } from './apps/daemon-set/rules.ts';
import { deploymentRules } from './apps/deployment/rules.ts';
import { replicaSetRules } from './apps/replica-set/rules.ts';
import { statefulSetRules } from './apps/stateful-set/rules.ts';
import {
  firstHorizontalPodAutoscalerRules,
  horizontalPodAutoscalerRules,
} from './autoscaling/horizontal-pod-autoscaler/rules.ts';
import { cronJobRules } from './batch/cron-job/rules.ts';
import { jobRules } from './batch/job/rules.ts';
import { certificateSigningRequestRules } from './certificates/certificate-signing-request/rules.ts';
import { leaseRules } from './coordination/lease/rules.ts';
import { configMapRules } from './core/config-map/rules.ts';
import { endpointsRules } from './core/endpoints/rules.ts';
import { eventRules } from './core/event/rules.ts';
import { limitRangeRules } from './core/limit-range/rules.ts';
import { namespaceRules } from './core/namespace/rules.ts';
import { nodeRules } from './core/node/rules.ts';
import { persistentVolumeRules } from './core/persistent-volume/rules.ts';
import { persistentVolumeClaimRules } from './core/persistent-volume-claim/rules.ts';
import { podRules } from './core/pod/rules.ts';
import { podTemplateRules } from './core/pod-template/rules.ts';
import { replicationControllerRules } from './core/replication-controller/rules.ts';
import { resourceQuotaRules } from './core/resource-quota/rules.ts';
import { secretRules } from './core/secret/rules.ts';
import { serviceRules } from './core/service/rules.ts';
import { serviceAccountRules } from './core/service-account/rules.ts';
import { endpointSliceRules } from './discovery/endpoint-slice/rules.ts';
import { newEventRules } from './events/event/rules.ts';
import { flowSchemaRules, priorityLevelConfigurationRules } from './flowcontrol/rules.ts';
import type { KindRules } from './kind.ts';
import { ingressClassRules } from './networking/ingress-class/rules.ts';
import { networkPolicyRules } from './networking/network-policy/rules.ts';
import { podDisruptionBudgetRules } from './policy/pod-disruption-budget/rules.ts';
import { clusterRoleRules, roleRules } from './rbac/role/rules.ts';
import { clusterRoleBindingRules, roleBindingRules } from './rbac/role-binding/rules.ts';
import { priorityClassRules } from './scheduling/priority-class/rules.ts';
import { csiDriverRules } from './storage/csi-driver/rules.ts';
import { storageClassRules } from './storage/storage-class/rules.ts';

/** The table is generic: each entry is only ever given objects of its own kind. */
const of = <T extends ApiObject>(rules: KindRules<T>): KindRules => rules as unknown as KindRules;

/**
 * Rules written by hand, by `group/Kind` or, where versions of a kind differ in shape, by `group/version/Kind`.
 * Adding a kind's rules is its folder and one line here.
 */
const table: Readonly<Record<string, KindRules>> = {
  '/Pod': of(podRules),
  '/PodTemplate': of(podTemplateRules),
  '/Service': of(serviceRules),
  '/ConfigMap': of(configMapRules),
  '/Secret': of(secretRules),
  '/ServiceAccount': of(serviceAccountRules),
  '/Namespace': of(namespaceRules),
  '/Node': of(nodeRules),
  '/Endpoints': of(endpointsRules),
  '/Event': of(eventRules),
  '/LimitRange': of(limitRangeRules),
  '/ResourceQuota': of(resourceQuotaRules),
  '/ReplicationController': of(replicationControllerRules),
  '/PersistentVolume': of(persistentVolumeRules),
  '/PersistentVolumeClaim': of(persistentVolumeClaimRules),
  'events.k8s.io/Event': of(newEventRules),
  'apps/Deployment': of(deploymentRules),
  'apps/ReplicaSet': of(replicaSetRules),
  'apps/StatefulSet': of(statefulSetRules),
  'apps/DaemonSet': of(daemonSetRules),
  'batch/Job': of(jobRules),
  'batch/CronJob': of(cronJobRules),
  'discovery.k8s.io/EndpointSlice': of(endpointSliceRules),
  'coordination.k8s.io/Lease': of(leaseRules),
  'rbac.authorization.k8s.io/Role': of(roleRules),
  'rbac.authorization.k8s.io/ClusterRole': of(clusterRoleRules),
  'rbac.authorization.k8s.io/RoleBinding': of(roleBindingRules),
  'rbac.authorization.k8s.io/ClusterRoleBinding': of(clusterRoleBindingRules),
  'scheduling.k8s.io/PriorityClass': of(priorityClassRules),
  'storage.k8s.io/StorageClass': of(storageClassRules),
  'storage.k8s.io/CSIDriver': of(csiDriverRules),
  'networking.k8s.io/IngressClass': of(ingressClassRules),
  'networking.k8s.io/NetworkPolicy': of(networkPolicyRules),
  'autoscaling/v2/HorizontalPodAutoscaler': of(horizontalPodAutoscalerRules),
  'autoscaling/v1/HorizontalPodAutoscaler': of(firstHorizontalPodAutoscalerRules),
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': of(validatingWebhookConfigurationRules),
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': of(mutatingWebhookConfigurationRules),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': of(validatingAdmissionPolicyRules),
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': of(mutatingAdmissionPolicyRules),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': of(validatingAdmissionPolicyBindingRules),
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': of(mutatingAdmissionPolicyBindingRules),
  'flowcontrol.apiserver.k8s.io/FlowSchema': of(flowSchemaRules),
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': of(priorityLevelConfigurationRules),
  'certificates.k8s.io/CertificateSigningRequest': of(certificateSigningRequestRules),
  'policy/PodDisruptionBudget': of(podDisruptionBudgetRules),
};

const nothingSpecial: KindRules = {};

/** What is special about a kind; an empty set of rules where nothing is. */
export function rulesFor({ group, version, kind }: GroupVersionKind): KindRules {
  return table[`${group}/${version}/${kind}`] ?? table[`${group}/${kind}`] ?? nothingSpecial;
}
