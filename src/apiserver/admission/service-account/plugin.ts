import { randomSuffix } from '#base/random.ts';
import { ServiceAccount } from '#kinds/generated/handles.ts';
import type { Container, Pod, ServiceAccount as ServiceAccountObject, Volume } from '#kinds/generated/types/core_v1.ts';
import type { Mutable } from '#machinery/meta.ts';
import { pathSegmentProblems, unusableName } from '#machinery/names.ts';
import { objectKey } from '../../resources/storage-keys.ts';
import { type AdmissionPlugin, objectAs, refusal } from '../plugin.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Seconds a mounted token lives; the kubelet renews it long before (KEP-1205). */
const tokenLifetimeSeconds = 3607;
const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Every pod runs as a service account: the default one unless it names another, with its token mounted. */
export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  operations: ['CREATE'],
  resources: ['/pods'],
  mutate(attributes, registry) {
    const pod = objectAs<Pod>(attributes);
    if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return;
    const { namespace } = attributes.request;
    pod.spec.serviceAccountName ||= 'default';
    pod.spec.serviceAccount = pod.spec.serviceAccountName;
    const name = pod.spec.serviceAccountName;
    const cache = registry.resources.of(ServiceAccount).storage!.cache;
    const account = cache.get(objectKey({ namespace, name }))?.value.object as ServiceAccountObject | undefined;
    if (account === undefined) {
      const problems = pathSegmentProblems(name);
      const why = problems.length > 0 ? unusableName(name, problems) : `serviceaccount "${name}" not found`;
      throw refusal(attributes, `error looking up service account ${namespace}/${name}: ${why}`);
    }
    if ((pod.spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
      pod.spec.imagePullSecrets = account.imagePullSecrets.map((reference) => ({ ...reference }));
    }
    const wanted = pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
    if (wanted) mountToken(pod, `kube-api-access-${randomSuffix(registry.environment.random)}`);
  },
};

/** Adds the projected volume and its mount to each container that does not already have something there. */
function mountToken(pod: Mutable<Pod>, volumeName: string): void {
  const existing = pod.spec.volumes?.find(({ name }) => name.startsWith('kube-api-access-'))?.name;
  const name = existing ?? volumeName;
  let mounted = false;
  const containers: Mutable<Container>[] = [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])];
  for (const container of containers) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    mounted = true;
  }
  if (mounted && existing === undefined) pod.spec.volumes = [...(pod.spec.volumes ?? []), tokenVolume(name)];
}

function tokenVolume(name: string): Mutable<Volume> {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenLifetimeSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  };
}
