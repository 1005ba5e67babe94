import { defineController, done } from '#client/controller.ts';
import { keyFor, keyOf, refTo } from '#client/object-key.ts';
import {
  EndpointSlice as EndpointSliceKind,
  Endpoints as EndpointsKind,
  Service as ServiceKind,
} from '#kinds/generated/handles.ts';
import type { EndpointAddress, EndpointSubset, Endpoints } from '#kinds/generated/types/core_v1.ts';
import type { Endpoint, EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { type EndpointGroup, packSlices } from '../endpointslice/packing.ts';
import type { AddressType } from '../endpointslice/pod-endpoints.ts';
import { managedByLabel, serviceNameLabel, writeSlices } from '../endpointslice/slices.ts';
import { controllerReference } from '../shared/owners.ts';

const manager = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
/** Annotations that mean something on the Endpoints only. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
]);

/** Shows Endpoints that users write for services without selectors as EndpointSlices, which is all that proxies read. */
export const endpointSliceMirroring = defineController({
  name: 'endpointslicemirroring-controller',
  component: 'endpoint-slice-mirroring-controller',
  queue: 'endpoint_slice_mirroring',
  workers: 5,
  setup(context) {
    const objects = context.watch(EndpointsKind, (object) => [keyOf(object)]);
    const services = context.watch(ServiceKind, (service) => [keyOf(service)]);
    const slices = context.watch(EndpointSliceKind, serviceKeyOf);
    slices.index('mirrored', serviceKeyOf);
    return async (key, turn) => {
      const object = objects.getByKey(key);
      const service = services.getByKey(key);
      const mine = slices.index('mirrored', serviceKeyOf).get(key);
      const isMirrored = object !== undefined && shouldMirror(object) && service !== undefined;
      if (!isMirrored || Object.keys(service.spec?.selector ?? {}).length > 0) {
        for (const slice of mine) {
          await turn.client.delete(EndpointSliceKind, refTo(slice), { signal: turn.signal }).catch((error: unknown) => {
            if (!isReason(error, 'NotFound')) throw error;
          });
        }
        return done;
      }
      for (const addressType of ['IPv4', 'IPv6'] as const) {
        const existing = mine.filter((slice) => slice.addressType === addressType);
        const groups = (object.subsets ?? []).map((subset) => groupOf(subset, addressType));
        if (existing.length === 0 && groups.every(({ endpoints }) => endpoints.length === 0)) continue;
        const frame = {
          namespace: object.metadata.namespace ?? '',
          serviceName: object.metadata.name ?? '',
          addressType,
          labels: {
            ...object.metadata.labels,
            [serviceNameLabel]: object.metadata.name ?? '',
            [managedByLabel]: manager,
          },
          annotations: copiedAnnotations(object),
          owner: controllerReference(EndpointsKind, object),
        };
        await writeSlices(turn, frame, existing, packSlices(existing, groups));
      }
      return done;
    };
  },
});

function serviceKeyOf({ metadata }: EndpointSlice): readonly string[] {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined || metadata.labels?.[managedByLabel] !== manager ? [] : [keyFor(metadata.namespace, name)];
}

function shouldMirror({ metadata }: Endpoints): boolean {
  return metadata.labels?.[skipLabel] !== 'true' && metadata.annotations?.[leaderAnnotation] === undefined;
}

function copiedAnnotations({ metadata }: Endpoints): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)));
}

function groupOf(
  { addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset,
  type: AddressType,
): EndpointGroup {
  const isOfType = ({ ip }: EndpointAddress) => ip.includes(':') === (type === 'IPv6');
  const endpoint = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  });
  return {
    ports: ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
    endpoints: [
      ...addresses.filter(isOfType).map((address) => endpoint(address, true)),
      ...notReadyAddresses.filter(isOfType).map((address) => endpoint(address, false)),
    ],
  };
}
