import { type Controller, defineController, done, type ReconcileResult, type Turn } from '#client/controller.ts';
import { isNamespaceTerminating } from '#client/failures.ts';
import { ConfigMap, Namespace } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { publisherMeter } from '../shared/publisher-metrics.ts';

/** Mounted into pods beside their token. */
const configMapName = 'kube-root-ca.crt';
const descriptionAnnotation = 'kubernetes.io/description';
const description =
  "The authorities to check the API server's certificate with, when it is reached by an address inside the cluster.";

/** Keeps a ConfigMap with the API server's authority in every namespace. */
export function rootCaPublisher(rootCa: string): Controller {
  const data = { 'ca.crt': rootCa };
  return defineController({
    name: 'root-ca-cert-publisher',
    queue: 'root_ca_cert_publisher',
    setup(context) {
      const namespaces = context.watch(Namespace, (namespace) => [namespace.metadata.name ?? '']);
      const maps = context.watch(ConfigMap, ({ metadata }) =>
        metadata.name === configMapName ? [metadata.namespace ?? ''] : [],
      );
      const measured = publisherMeter(context.metrics, context.environment.clock, 'root_ca_cert_publisher');
      const publish = async (name: string, { client, signal }: Turn): Promise<ReconcileResult> => {
        const namespace = namespaces.get(undefined, name);
        if (namespace === undefined || namespace.status?.phase === 'Terminating') return done;
        const current = maps.get(name, configMapName);
        const annotations = { ...current?.metadata.annotations, [descriptionAnnotation]: description };
        if (current !== undefined) {
          const isRight = Object.keys(current.data ?? {}).length === 1 && current.data?.['ca.crt'] === rootCa;
          if (isRight) return done;
          const metadata = { ...current.metadata, annotations };
          await client.update(ConfigMap, { ...current, metadata, data }, { signal });
          return done;
        }
        try {
          await client.create(
            ConfigMap,
            { metadata: { name: configMapName, namespace: name, annotations }, data },
            { signal },
          );
        } catch (error) {
          if (!isReason(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
        }
        return done;
      };
      return (name, turn) => measured(() => publish(name, turn));
    },
  });
}
