import { defineController, done } from '#client/controller.ts';
import { isNamespaceTerminating } from '#client/failures.ts';
import { keyOf, refOf } from '#client/object-key.ts';
import { Endpoints as EndpointsKind } from '#kinds/generated/handles.ts';
import type { Endpoints, Service } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';
import { isPodInService } from '../endpointslice/pod-endpoints.ts';
import { hasSelector, ServicePods } from '../endpointslice/service-pods.ts';
import { headlessLabel, triggerTimeAnnotation } from '../endpointslice/slices.ts';
import { addressLimit, subsetsOf, truncated } from './subsets.ts';

const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';

/** Keeps the older Endpoints of each service with a selector, for clients that do not know EndpointSlices. */
export const endpoints = defineController({
  name: 'endpoint-controller',
  workers: 5,
  setup(context) {
    const sources = new ServicePods(context);
    const cache = context.watch(EndpointsKind, (object) => {
      const service = sources.services.getByKey(keyOf(object));
      return service !== undefined && hasSelector(service) ? [keyOf(object)] : [];
    });
    return async (key, { client, signal }) => {
      const service = sources.services.getByKey(key);
      const current = cache.getByKey(key);
      if (service === undefined) {
        // Made here, and by nothing but its name tied to the service.
        if (current?.metadata.labels?.[managedByLabel] !== undefined) {
          await client.delete(EndpointsKind, refOf(key), { signal }).catch((error: unknown) => {
            if (!isReason(error, 'NotFound')) throw error;
          });
        }
        return done;
      }
      if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return done;
      const includeTerminating = service.spec?.publishNotReadyAddresses === true;
      const pods = sources.podsOf(service).filter((pod) => isPodInService(pod, { includeTerminating }));
      const subsets = subsetsOf(service, pods);
      const time = formatTime(context.environment.clock.now());
      const wanted = wantedEndpoints(service, current, subsets, time);
      if (wanted === undefined) return done;
      try {
        if (current === undefined) await client.create(EndpointsKind, wanted, { signal });
        else await client.update(EndpointsKind, wanted, { signal });
      } catch (error) {
        if (isNamespaceTerminating(error)) return done;
        throw error;
      }
      return done;
    };
  },
});

/** The object to write; undefined when there is nothing to change. */
function wantedEndpoints(
  service: Service,
  current: Endpoints | undefined,
  all: NonNullable<Endpoints['subsets']>,
  time: string,
): Endpoints | undefined {
  const count = all.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length,
    0,
  );
  const subsets = count > addressLimit ? truncated(all) : all;
  const { [headlessLabel]: _, ...serviceLabels } = service.metadata.labels ?? {};
  const labels = {
    ...serviceLabels,
    ...(service.spec?.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
    [managedByLabel]: 'endpoint-controller',
  };
  const isSame = equalValues(current?.subsets ?? [], subsets) && equalValues(current?.metadata.labels, labels);
  if (current !== undefined && isSame) return undefined;
  const { [overCapacityAnnotation]: _over, ...annotations } = current?.metadata.annotations ?? {};
  const { name = '', namespace = '' } = service.metadata;
  return {
    ...current,
    metadata: {
      ...(current?.metadata ?? { name, namespace }),
      labels,
      annotations: {
        ...annotations,
        [triggerTimeAnnotation]: time,
        ...(count > addressLimit ? { [overCapacityAnnotation]: 'truncated' } : {}),
      },
    },
    subsets,
  };
}
