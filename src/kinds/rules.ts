import type { ApiObject, GroupVersionKind } from '#machinery/meta.ts';
import {
  mutatingAdmissionPolicyBindingRules,
  mutatingAdmissionPolicyRules,
  mutatingWebhookConfigurationRules,
  validatingAdmissionPolicyBindingRules,
  validatingAdmissionPolicyRules,
  validatingWebhookConfigurationRules,
} from './admissionregistration/rules.ts';
import {
  controllerRevisionCells,
  daemonSetCells,
  deploymentCells,
  replicaSetCells,
  statefulSetCells,
} from './apps/cells.ts';
import { controllerRevisionRules } from './apps/controller-revision/rules.ts';
import { daemonSetRules } from './apps/daemon-set/rules.ts';
import { deploymentRules } from './apps/deployment/rules.ts';
import { replicaSetRules } from './apps/replica-set/rules.ts';
import { statefulSetRules } from './apps/stateful-set/rules.ts';
import { firstHorizontalPodAutoscalerCells, horizontalPodAutoscalerCells } from './autoscaling/cells.ts';
import {
  firstHorizontalPodAutoscalerRules,
  horizontalPodAutoscalerRules,
} from './autoscaling/horizontal-pod-autoscaler/rules.ts';
import { cronJobCells, jobCells } from './batch/cells.ts';
import { cronJobRules } from './batch/cron-job/rules.ts';
import { jobRules } from './batch/job/rules.ts';
import { certificateSigningRequestRules } from './certificates/certificate-signing-request/rules.ts';
import { podCertificateRequestRules } from './certificates/pod-certificate-request/rules.ts';
import { leaseRules } from './coordination/lease/rules.ts';
import { leaseCandidateRules } from './coordination/lease-candidate/rules.ts';
import {
  componentStatusCells,
  configMapCells,
  endpointsCells,
  namespaceCells,
  nodeCells,
  persistentVolumeCells,
  persistentVolumeClaimCells,
  podTemplateCells,
  replicationControllerCells,
  resourceQuotaCells,
  secretCells,
  serviceAccountCells,
  serviceCells,
} from './core/cells.ts';
import { configMapRules } from './core/config-map/rules.ts';
import { endpointsRules } from './core/endpoints/rules.ts';
import { eventRules } from './core/event/rules.ts';
import { limitRangeRules } from './core/limit-range/rules.ts';
import { namespaceRules } from './core/namespace/rules.ts';
import { nodeRules } from './core/node/rules.ts';
import { persistentVolumeRules } from './core/persistent-volume/rules.ts';
import { persistentVolumeClaimRules } from './core/persistent-volume-claim/rules.ts';
import { podCells } from './core/pod/cells.ts';
import { podRules } from './core/pod/rules.ts';
import { podTemplateRules } from './core/pod-template/rules.ts';
import { replicationControllerRules } from './core/replication-controller/rules.ts';
import { resourceQuotaRules } from './core/resource-quota/rules.ts';
import { secretRules } from './core/secret/rules.ts';
import { serviceRules } from './core/service/rules.ts';
import { serviceAccountRules } from './core/service-account/rules.ts';
import { endpointSliceRules } from './discovery/endpoint-slice/rules.ts';
import { coreEventCells, eventCells } from './events/cells.ts';
import { newEventRules } from './events/event/rules.ts';
import { flowSchemaRules, priorityLevelConfigurationRules } from './flowcontrol/rules.ts';
import type { KindRules } from './kind.ts';
import {
  endpointSliceCells,
  ingressCells,
  ingressClassCells,
  ipAddressCells,
  networkPolicyCells,
  serviceCidrCells,
} from './networking/cells.ts';
import { ingressRules } from './networking/ingress/rules.ts';
import { ingressClassRules } from './networking/ingress-class/rules.ts';
import { ipAddressRules } from './networking/ip-address/rules.ts';
import { networkPolicyRules } from './networking/network-policy/rules.ts';
import { serviceCidrRules } from './networking/service-cidr/rules.ts';
import { runtimeClassRules } from './node/runtime-class/rules.ts';
import {
  apiServiceCells,
  bindingCells,
  certificateSigningRequestCells,
  flowSchemaCells,
  leaseCells,
  mutatingPolicyCells,
  nameAndAgeCells,
  nameAndCreationCells,
  podDisruptionBudgetCells,
  policyBindingCells,
  priorityClassCells,
  priorityLevelCells,
  resourceClaimCells,
  resourceSliceCells,
  runtimeClassCells,
  validatingPolicyCells,
  webhookConfigurationCells,
} from './other-cells.ts';
import { podDisruptionBudgetRules } from './policy/pod-disruption-budget/rules.ts';
import { clusterRoleRules, roleRules } from './rbac/role/rules.ts';
import { clusterRoleBindingRules, roleBindingRules } from './rbac/role-binding/rules.ts';
import {
  betaResourceClaimRules,
  betaResourceClaimTemplateRules,
  betaResourceSliceRules,
  deviceClassRules,
  deviceTaintRuleRules,
  resourceClaimRules,
  resourceClaimTemplateRules,
  resourceSliceRules,
} from './resource/rules.ts';
import { priorityClassRules } from './scheduling/priority-class/rules.ts';
import {
  csiDriverCells,
  csiNodeCells,
  storageClassCells,
  volumeAttachmentCells,
  volumeAttributesClassCells,
} from './storage/cells.ts';
import { csiDriverRules } from './storage/csi-driver/rules.ts';
import { csiNodeRules } from './storage/csi-node/rules.ts';
import { csiStorageCapacityRules } from './storage/csi-storage-capacity/rules.ts';
import { storageClassRules } from './storage/storage-class/rules.ts';
import { volumeAttachmentRules } from './storage/volume-attachment/rules.ts';
import { volumeAttributesClassRules } from './storage/volume-attributes-class/rules.ts';
import { storageVersionMigrationRules } from './storagemigration/rules.ts';

/** The table is generic: each entry is only ever given objects of its own kind. */
const of = <T extends ApiObject>(rules: KindRules<T>, cells: NonNullable<KindRules<T>['cells']>): KindRules =>
  ({ ...rules, cells }) as unknown as KindRules;

/**
 * Rules written by hand, by `group/Kind` or, where versions of a kind differ in shape, by `group/version/Kind`.
 * Adding a kind's rules is its folder and one line here.
 */
const table: Readonly<Record<string, KindRules>> = {
  '/Pod': of(podRules, podCells),
  '/PodTemplate': of(podTemplateRules, podTemplateCells),
  '/Service': of(serviceRules, serviceCells),
  '/ConfigMap': of(configMapRules, configMapCells),
  '/Secret': of(secretRules, secretCells),
  '/ServiceAccount': of(serviceAccountRules, serviceAccountCells),
  '/Namespace': of(namespaceRules, namespaceCells),
  '/Node': of(nodeRules, nodeCells),
  '/Endpoints': of(endpointsRules, endpointsCells),
  '/Event': of(eventRules, coreEventCells),
  '/LimitRange': of(limitRangeRules, nameAndCreationCells),
  '/ResourceQuota': of(resourceQuotaRules, resourceQuotaCells),
  '/ReplicationController': of(replicationControllerRules, replicationControllerCells),
  '/PersistentVolume': of(persistentVolumeRules, persistentVolumeCells),
  '/PersistentVolumeClaim': of(persistentVolumeClaimRules, persistentVolumeClaimCells),
  'events.k8s.io/Event': of(newEventRules, eventCells),
  'apps/Deployment': of(deploymentRules, deploymentCells),
  'apps/ReplicaSet': of(replicaSetRules, replicaSetCells),
  'apps/StatefulSet': of(statefulSetRules, statefulSetCells),
  'apps/DaemonSet': of(daemonSetRules, daemonSetCells),
  'batch/Job': of(jobRules, jobCells),
  'batch/CronJob': of(cronJobRules, cronJobCells),
  'discovery.k8s.io/EndpointSlice': of(endpointSliceRules, endpointSliceCells),
  'coordination.k8s.io/Lease': of(leaseRules, leaseCells),
  'coordination.k8s.io/LeaseCandidate': leaseCandidateRules as unknown as KindRules,
  'resource.k8s.io/DeviceTaintRule': deviceTaintRuleRules as unknown as KindRules,
  'storagemigration.k8s.io/StorageVersionMigration': storageVersionMigrationRules as unknown as KindRules,
  'rbac.authorization.k8s.io/Role': of(roleRules, nameAndCreationCells),
  'rbac.authorization.k8s.io/ClusterRole': of(clusterRoleRules, nameAndCreationCells),
  'rbac.authorization.k8s.io/RoleBinding': of(roleBindingRules, bindingCells),
  'rbac.authorization.k8s.io/ClusterRoleBinding': of(clusterRoleBindingRules, bindingCells),
  'scheduling.k8s.io/PriorityClass': of(priorityClassRules, priorityClassCells),
  'storage.k8s.io/StorageClass': of(storageClassRules, storageClassCells),
  'storage.k8s.io/CSIDriver': of(csiDriverRules, csiDriverCells),
  'networking.k8s.io/IngressClass': of(ingressClassRules, ingressClassCells),
  'networking.k8s.io/NetworkPolicy': of(networkPolicyRules, networkPolicyCells),
  'autoscaling/v2/HorizontalPodAutoscaler': of(horizontalPodAutoscalerRules, horizontalPodAutoscalerCells),
  'autoscaling/v1/HorizontalPodAutoscaler': of(firstHorizontalPodAutoscalerRules, firstHorizontalPodAutoscalerCells),
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': of(
    validatingWebhookConfigurationRules,
    webhookConfigurationCells,
  ),
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': of(
    mutatingWebhookConfigurationRules,
    webhookConfigurationCells,
  ),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': of(validatingAdmissionPolicyRules, validatingPolicyCells),
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': of(mutatingAdmissionPolicyRules, mutatingPolicyCells),
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': of(
    validatingAdmissionPolicyBindingRules,
    policyBindingCells,
  ),
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': of(
    mutatingAdmissionPolicyBindingRules,
    policyBindingCells,
  ),
  'flowcontrol.apiserver.k8s.io/FlowSchema': of(flowSchemaRules, flowSchemaCells),
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': of(priorityLevelConfigurationRules, priorityLevelCells),
  'certificates.k8s.io/PodCertificateRequest': of(podCertificateRequestRules, nameAndCreationCells),
  'certificates.k8s.io/CertificateSigningRequest': of(certificateSigningRequestRules, certificateSigningRequestCells),
  'policy/PodDisruptionBudget': of(podDisruptionBudgetRules, podDisruptionBudgetCells),
  '/ComponentStatus': of({}, componentStatusCells),
  'apps/ControllerRevision': of(controllerRevisionRules, controllerRevisionCells),
  'storage.k8s.io/CSINode': of(csiNodeRules, csiNodeCells),
  'storage.k8s.io/CSIStorageCapacity': of(csiStorageCapacityRules, nameAndCreationCells),
  'storage.k8s.io/VolumeAttachment': of(volumeAttachmentRules, volumeAttachmentCells),
  'storage.k8s.io/VolumeAttributesClass': of(volumeAttributesClassRules, volumeAttributesClassCells),
  'networking.k8s.io/Ingress': of(ingressRules, ingressCells),
  'networking.k8s.io/IPAddress': of(ipAddressRules, ipAddressCells),
  'networking.k8s.io/ServiceCIDR': of(serviceCidrRules, serviceCidrCells),
  'node.k8s.io/RuntimeClass': of(runtimeClassRules, runtimeClassCells),
  'apiregistration.k8s.io/APIService': of({}, apiServiceCells),
  'apiextensions.k8s.io/CustomResourceDefinition': of({}, nameAndCreationCells),
  'resource.k8s.io/DeviceClass': of(deviceClassRules, nameAndAgeCells),
  'resource.k8s.io/ResourceClaim': of(resourceClaimRules, resourceClaimCells),
  'resource.k8s.io/v1beta1/ResourceClaim': of(betaResourceClaimRules, resourceClaimCells),
  'resource.k8s.io/ResourceClaimTemplate': of(resourceClaimTemplateRules, nameAndAgeCells),
  'resource.k8s.io/v1beta1/ResourceClaimTemplate': of(betaResourceClaimTemplateRules, nameAndAgeCells),
  'resource.k8s.io/ResourceSlice': of(resourceSliceRules, resourceSliceCells),
  'resource.k8s.io/v1beta1/ResourceSlice': of(betaResourceSliceRules, resourceSliceCells),
};

const nothingSpecial: KindRules = {};

/** What is special about a kind; an empty set of rules where nothing is. */
export function rulesFor({ group, version, kind }: GroupVersionKind): KindRules {
  return table[`${group}/${version}/${kind}`] ?? table[`${group}/${kind}`] ?? nothingSpecial;
}
