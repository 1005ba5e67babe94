import type { FieldSpec } from './fields.ts';
import type { GroupVersionKind } from './resource.ts';

/** Fields that hold the name of an object of a kind. */
export interface ReferenceTarget extends Partial<GroupVersionKind> {
  readonly fields: readonly FieldSpec[];
}

const at = (kind: string, ...paths: readonly string[]): readonly FieldSpec[] => paths.map((path) => ({ kind, path }));

/** Fields of pod specs, wherever these are. Kustomize does not look for every field in every kind. */
const inPodSpecs = (paths: readonly string[], kinds: readonly string[]): readonly FieldSpec[] =>
  kinds.flatMap((kind) => paths.map((path) => ({ kind, path: `${podSpecAt[kind]}/${path}` })));

const podSpecAt: Readonly<Record<string, string>> = {
  Pod: 'spec',
  PodTemplate: 'template/spec',
  Deployment: 'spec/template/spec',
  ReplicaSet: 'spec/template/spec',
  DaemonSet: 'spec/template/spec',
  StatefulSet: 'spec/template/spec',
  ReplicationController: 'spec/template/spec',
  Job: 'spec/template/spec',
  CronJob: 'spec/jobTemplate/spec/template/spec',
};
const configKinds = ['Pod', 'PodTemplate', 'Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'];
const otherKinds = ['StatefulSet', 'Deployment', 'ReplicationController', 'CronJob', 'Job', 'DaemonSet'];

const environment = (name: 'configMap' | 'secret'): readonly string[] =>
  ['containers', 'initContainers'].flatMap((list) => [
    `${list}/env/valueFrom/${name}KeyRef/name`,
    `${list}/envFrom/${name}Ref/name`,
  ]);
const configMapFields = [
  'volumes/configMap/name',
  'volumes/projected/sources/configMap/name',
  ...environment('configMap'),
];
const secretFields = [
  'volumes/secret/secretName',
  'volumes/projected/sources/secret/name',
  'imagePullSecrets/name',
  ...environment('secret'),
];

const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';
const ofGroup = (group: string, specs: readonly FieldSpec[]): readonly FieldSpec[] =>
  specs.map((spec) => ({ ...spec, group }));
const namedByRoles = [...at('Role', 'rules/resourceNames'), ...at('ClusterRole', 'rules/resourceNames')];

export const referenceTargets: readonly ReferenceTarget[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
    kind,
    fields: at('HorizontalPodAutoscaler', 'spec/scaleTargetRef/name'),
  })),
  {
    kind: 'ConfigMap',
    version: 'v1',
    fields: [
      ...inPodSpecs(configMapFields, configKinds),
      ...at('Node', 'spec/configSource/configMap'),
      ...namedByRoles,
      ...at('Ingress', 'metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap'),
    ],
  },
  {
    kind: 'Secret',
    version: 'v1',
    fields: [
      ...inPodSpecs(secretFields, configKinds),
      ...at(
        'Ingress',
        'spec/tls/secretName',
        'metadata/annotations/ingress.kubernetes.io\\/auth-secret',
        'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret',
        'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret',
      ),
      ...at('ServiceAccount', 'imagePullSecrets/name'),
      ...at(
        'StorageClass',
        'parameters/secretName',
        'parameters/adminSecretName',
        'parameters/userSecretName',
        'parameters/secretRef',
      ),
      ...namedByRoles,
      ...ofGroup('serving.knative.dev', at('Service', 'spec/template/spec/containers/env/valueFrom/secretKeyRef/name')),
      ...at('PersistentVolume', 'spec/azureFile/secretName'),
    ],
  },
  {
    kind: 'Service',
    version: 'v1',
    fields: [
      ...ofGroup('apps', at('StatefulSet', 'spec/serviceName')),
      ...at(
        'Ingress',
        'spec/rules/http/paths/backend/serviceName',
        'spec/backend/serviceName',
        'spec/rules/http/paths/backend/service/name',
        'spec/defaultBackend/service/name',
      ),
      ...ofGroup('apiregistration.k8s.io', at('APIService', 'spec/service/name')),
      ...ofGroup(admission, [
        ...at('ValidatingWebhookConfiguration', 'webhooks/clientConfig/service'),
        ...at('MutatingWebhookConfiguration', 'webhooks/clientConfig/service'),
      ]),
    ],
  },
  { kind: 'Role', group: rbac, fields: ofGroup(rbac, at('RoleBinding', 'roleRef/name')) },
  {
    kind: 'ClusterRole',
    group: rbac,
    fields: ofGroup(rbac, [...at('RoleBinding', 'roleRef/name'), ...at('ClusterRoleBinding', 'roleRef/name')]),
  },
  {
    kind: 'ServiceAccount',
    version: 'v1',
    fields: [
      ...ofGroup(rbac, [...at('RoleBinding', 'subjects'), ...at('ClusterRoleBinding', 'subjects')]),
      ...inPodSpecs(['serviceAccountName'], ['Pod', ...otherKinds]),
    ],
  },
  {
    kind: 'PersistentVolumeClaim',
    version: 'v1',
    fields: inPodSpecs(['volumes/persistentVolumeClaim/claimName'], ['Pod', ...otherKinds]),
  },
  {
    kind: 'PersistentVolume',
    version: 'v1',
    fields: [...at('PersistentVolumeClaim', 'spec/volumeName'), ...at('ClusterRole', 'rules/resourceNames')],
  },
  {
    kind: 'StorageClass',
    version: 'v1',
    group: 'storage.k8s.io',
    fields: [
      ...at('PersistentVolume', 'spec/storageClassName'),
      ...at('PersistentVolumeClaim', 'spec/storageClassName'),
      ...at('StatefulSet', 'spec/volumeClaimTemplates/spec/storageClassName'),
    ],
  },
  {
    kind: 'PriorityClass',
    version: 'v1',
    group: 'scheduling.k8s.io',
    fields: inPodSpecs(['priorityClassName'], ['Pod', ...otherKinds]),
  },
  {
    kind: 'ValidatingAdmissionPolicy',
    group: admission,
    fields: ofGroup(admission, at('ValidatingAdmissionPolicyBinding', 'spec/policyName')),
  },
];
