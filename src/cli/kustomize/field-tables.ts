import type { FieldSpec } from './fields.ts';

/** Kinds that hold a pod template, where it is, and the group by which the label tables know them. */
const templates = [
  { kind: 'ReplicationController', version: 'v1' },
  { kind: 'Deployment' },
  { kind: 'ReplicaSet' },
  { kind: 'DaemonSet' },
  { kind: 'StatefulSet', group: 'apps' },
  { kind: 'Job', group: 'batch' },
] as const;

const metadataOfTemplates = (field: 'labels' | 'annotations'): readonly FieldSpec[] => [
  { path: `metadata/${field}`, create: true },
  ...templates.map((kind) => ({ ...kind, path: `spec/template/metadata/${field}`, create: true })),
  { path: `spec/jobTemplate/metadata/${field}`, create: true, group: 'batch', kind: 'CronJob' },
  { path: `spec/jobTemplate/spec/template/metadata/${field}`, create: true, group: 'batch', kind: 'CronJob' },
];

export const metadataLabels: readonly FieldSpec[] = [{ path: 'metadata/labels', create: true }];
export const templateLabels: readonly FieldSpec[] = [
  ...metadataOfTemplates('labels'),
  { path: 'spec/volumeClaimTemplates[]/metadata/labels', create: true, group: 'apps', kind: 'StatefulSet' },
];
export const annotations = metadataOfTemplates('annotations').map((spec) =>
  spec.kind === 'StatefulSet' ? { path: spec.path, create: true, kind: spec.kind } : spec,
);

const affinityTerms = ['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
  `affinity/${affinity}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels`,
  `affinity/${affinity}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels`,
]);
const networking = { group: 'networking.k8s.io', kind: 'NetworkPolicy' } as const;

/** Labels wherever they are set or selected by. */
export const commonLabels: readonly FieldSpec[] = [
  { path: 'spec/selector', create: true, version: 'v1', kind: 'Service' },
  { path: 'spec/selector', create: true, version: 'v1', kind: 'ReplicationController' },
  ...['Deployment', 'ReplicaSet', 'DaemonSet'].map((kind) => ({
    path: 'spec/selector/matchLabels',
    create: true,
    kind,
  })),
  { path: 'spec/selector/matchLabels', create: true, group: 'apps', kind: 'StatefulSet' },
  ...['Deployment', 'StatefulSet'].flatMap((kind) =>
    [...affinityTerms, 'topologySpreadConstraints/labelSelector/matchLabels'].map((path) => ({
      path: `spec/template/spec/${path}`,
      group: 'apps',
      kind,
    })),
  ),
  { path: 'spec/selector/matchLabels', group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/spec/selector/matchLabels', group: 'batch', kind: 'CronJob' },
  { path: 'spec/selector/matchLabels', group: 'policy', kind: 'PodDisruptionBudget' },
  { path: 'spec/podSelector/matchLabels', ...networking },
  { path: 'spec/ingress/from/podSelector/matchLabels', ...networking },
  { path: 'spec/egress/to/podSelector/matchLabels', ...networking },
  ...templateLabels,
];

export const images: readonly FieldSpec[] = ['spec', 'spec/template/spec'].flatMap((spec) => [
  { path: `${spec}/containers[]/image` },
  { path: `${spec}/initContainers[]/image` },
  { path: `${spec}/volumes[]/image/reference` },
]);

export const replicas: readonly FieldSpec[] = ['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController'].map(
  (kind) => ({ path: 'spec/replicas', create: true, kind }),
);

/** Namespaces that stand elsewhere than in an object's metadata. */
export const namespaces: readonly FieldSpec[] = [
  { path: 'metadata/name', version: 'v1', kind: 'Namespace', create: true },
  { path: 'spec/service/namespace', group: 'apiregistration.k8s.io', kind: 'APIService', create: true },
  {
    path: 'spec/conversion/webhook/clientConfig/service/namespace',
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
  },
];
