import { createHash } from 'node:crypto';
import { type Controller, defineController, done, type ReconcileResult, type Turn } from '#client/controller.ts';
import { ClusterTrustBundle } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { publisherMeter } from '../shared/publisher-metrics.ts';

const signerName = 'kubernetes.io/kube-apiserver-serving';
const digestDigits = 24;
/** All events are about the one bundle. */
const only = 'bundle';

/**
 * Publishes the authority of the API server's certificate as a ClusterTrustBundle, for pods that mount it (KEP-3257).
 * Its name says what is in it; what it published before goes. Behind the feature gate `ClusterTrustBundle`.
 */
export function trustBundlePublisher(rootCa: string): Controller {
  return defineController({
    name: 'kube-apiserver-serving-clustertrustbundle-publisher',
    queue: 'ca_cert_publisher_cluster_trust_bundles',
    setup({ watch, enqueue, metrics, environment }) {
      const bundles = watch(ClusterTrustBundle, ({ spec }) => (spec.signerName === signerName ? [only] : []));
      const name = bundleName(rootCa);
      enqueue(only);
      const measured = publisherMeter(metrics, environment.clock, 'clustertrustbundle_publisher');
      const publish = async ({ client, signal }: Turn): Promise<ReconcileResult> => {
        const own = [...bundles.list()].filter(({ spec }) => spec.signerName === signerName);
        const current = own.find(({ metadata }) => metadata.name === name);
        const spec = { signerName, trustBundle: rootCa };
        if (current === undefined) await client.create(ClusterTrustBundle, { metadata: { name }, spec }, { signal });
        else if (current.spec.trustBundle !== rootCa)
          await client.update(ClusterTrustBundle, { ...current, spec }, { signal });
        for (const { metadata } of own) {
          if (metadata.name === name) continue;
          await client.delete(ClusterTrustBundle, { name: metadata.name ?? '' }, { signal }).catch((error: unknown) => {
            if (!isReason(error, 'NotFound')) throw error;
          });
        }
        return done;
      };
      return (_key, turn) => measured(() => publish(turn));
    },
  });
}

/** The signer with colons, and the first half of a digest of the content. */
function bundleName(content: string): string {
  const digest = createHash('sha256').update(content).digest('hex');
  return `${signerName.replaceAll('/', ':')}:${digest.slice(0, digestDigits)}`;
}
