import * as handles from '#kinds/generated/handles.ts';
import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';

const group = 'certificates.k8s.io';
const events: PolicyRule = {
  verbs: ['create', 'patch', 'update'],
  apiGroups: ['', 'events.k8s.io'],
  resources: ['events'],
};

/** What controllers may do that work only with a feature gate, by the gate and their service account. */
const controllers: readonly { readonly gate: string; readonly name: string; readonly rules: readonly PolicyRule[] }[] =
  [
    {
      gate: 'ClusterTrustBundle',
      name: 'kube-apiserver-serving-clustertrustbundle-publisher',
      rules: [
        {
          verbs: ['attest'],
          apiGroups: [group],
          resources: ['signers'],
          resourceNames: ['kubernetes.io/kube-apiserver-serving'],
        },
        {
          verbs: ['create', 'delete', 'list', 'update', 'watch'],
          apiGroups: [group],
          resources: ['clustertrustbundles'],
        },
        events,
      ],
    },
    {
      gate: 'PodCertificateRequest',
      name: 'podcertificaterequestcleaner',
      rules: [{ verbs: ['delete', 'get', 'list', 'watch'], apiGroups: [group], resources: ['podcertificaterequests'] }],
    },
    {
      gate: 'GenericWorkload',
      name: 'podgroup-protection-controller',
      rules: [
        { verbs: ['get', 'list', 'update', 'watch'], apiGroups: ['scheduling.k8s.io'], resources: ['podgroups'] },
        { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['pods'] },
      ],
    },
  ];

type Enabled = (gate: string) => boolean;

/** Roles and bindings that a cluster holds only with the gates that want them. */
export function gatedObjects(featureEnabled: Enabled): readonly (readonly [Kind, ApiObject])[] {
  return controllers
    .filter(({ gate }) => featureEnabled(gate))
    .flatMap(({ name, rules }) => {
      const role = `system:controller:${name}`;
      const metadata = {
        name: role,
        labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
        annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
      };
      const subjects = [{ kind: 'ServiceAccount', name, namespace: 'kube-system' }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
      return [
        [handles.ClusterRole as Kind, { metadata, rules } as ApiObject] as const,
        [handles.ClusterRoleBinding as Kind, { metadata, subjects, roleRef } as ApiObject] as const,
      ];
    });
}

/** What nodes may do besides, with the gates that want it. */
export function gatedNodeRules(featureEnabled: Enabled): readonly PolicyRule[] {
  if (!featureEnabled('ClusterTrustBundle') || !featureEnabled('ClusterTrustBundleProjection')) return [];
  return [{ verbs: ['get', 'list', 'watch'], apiGroups: [group], resources: ['clustertrustbundles'] }];
}
