import { defineController, done, type Turn } from '#client/controller.ts';
import { keyFor } from '#client/object-key.ts';
import {
  EndpointSlice as EndpointSliceKind,
  Node as NodeKind,
  Service as ServiceKind,
} from '#kinds/generated/handles.ts';
import type { Service } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { formatTime } from '#machinery/time.ts';
import { controllerReference } from '../shared/owners.ts';
import { SliceMetrics } from './metrics.ts';
import { type EndpointGroup, identityOf, packSlices, type SliceChanges } from './packing.ts';
import { addressTypesOf, endpointGroups, isPodInService } from './pod-endpoints.ts';
import { hasSelector, ServicePods } from './service-pods.ts';
import { headlessLabel, managedByLabel, serviceNameLabel, triggerTimeAnnotation, writeSlices } from './slices.ts';

const manager = 'endpointslice-controller.k8s.io';

/** Lists in EndpointSlices where each service with a selector is served. */
export const endpointSlice = defineController({
  name: 'endpointslice-controller',
  component: 'endpoint-slice-controller',
  queue: 'endpoint_slice',
  workers: 5,
  setup(context) {
    const sources = new ServicePods(context);
    const slices = context.watch(EndpointSliceKind, serviceKeyOf);
    const nodes = context.watch(NodeKind);
    slices.index('service', serviceKeyOf);
    const metrics = new SliceMetrics(context.metrics, () => {
      let count = 0;
      for (const { metadata } of slices.list()) if (metadata.labels?.[managedByLabel] === manager) count++;
      return count;
    });
    const sync = async (key: string, service: Service, turn: Turn): Promise<void> => {
      const pods = sources.podsOf(service).filter((pod) => isPodInService(pod, { includeTerminating: true }));
      const mine = slices
        .index('service', serviceKeyOf)
        .get(key)
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const types = addressTypesOf(service);
      const wanted: EndpointGroup[] = [];
      for (const addressType of types) {
        const existing = mine.filter((slice) => slice.addressType === addressType);
        const groups = endpointGroups(service, pods, addressType, (name) => nodes.get(undefined, name));
        wanted.push(...groups);
        const frame = {
          namespace: service.metadata.namespace ?? '',
          serviceName: service.metadata.name ?? '',
          addressType,
          labels: labelsOf(service),
          annotations: { [triggerTimeAnnotation]: formatTime(context.environment.clock.now()) },
          owner: controllerReference(ServiceKind, service),
        };
        const changes = packSlices(existing, groups);
        metrics.changed(await writeSlices(turn, frame, existing, changes));
        metrics.moved(movedBy(changes));
      }
      metrics.wants(key, wanted);
      const strays = mine.filter(({ addressType }) => !types.some((type) => type === addressType));
      for (const { metadata } of strays) {
        const ref = { name: metadata.name ?? '', namespace: metadata.namespace };
        await turn.client.delete(EndpointSliceKind, ref, { signal: turn.signal });
        metrics.changed({ delete: 1 });
      }
    };
    return async (key, turn) => {
      const service = sources.services.getByKey(key);
      // The slices of a deleted service go with their owner.
      if (service === undefined || !hasSelector(service) || service.metadata.deletionTimestamp !== undefined)
        metrics.forget(key);
      else await metrics.sync(() => sync(key, service, turn));
      return done;
    };
  },
});

/** How many endpoints come and go. */
function movedBy({ create, update, delete: deleted }: SliceChanges): {
  readonly added: number;
  readonly removed: number;
} {
  const moved = { added: 0, removed: 0 };
  for (const { endpoints } of create) moved.added += endpoints.length;
  for (const { endpoints = [] } of deleted) moved.removed += endpoints.length;
  for (const { slice, endpoints } of update) {
    const before = new Set((slice.endpoints ?? []).map(identityOf));
    const stayed = endpoints.filter((endpoint) => before.has(identityOf(endpoint))).length;
    moved.added += endpoints.length - stayed;
    moved.removed += before.size - stayed;
  }
  return moved;
}

function serviceKeyOf({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined || metadata.labels?.[managedByLabel] !== manager ? [] : [keyFor(metadata.namespace, name)];
}

/** The service's labels, but those that mean something on a slice. */
function labelsOf({ metadata, spec }: Service): Readonly<Record<string, string>> {
  const { [headlessLabel]: _, ...labels } = metadata.labels ?? {};
  return {
    ...labels,
    ...(spec?.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: metadata.name ?? '',
    [managedByLabel]: manager,
  };
}
