import type * as discovery from '#kinds/generated/types/discovery_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { ipWarnings } from '#machinery/ip.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

export const endpointSliceRules: KindRules<discovery.EndpointSlice> = {
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  warnings: (slice, old) => [
    ...(old === undefined && slice.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...addressWarnings(slice),
  ],
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  hasGeneration: true,
  labelsCount: true,
};

const controllers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

function addressWarnings({ metadata, endpoints = [] }: discovery.EndpointSlice): string[] {
  if (controllers.includes(metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return [];
  return endpoints.flatMap(({ addresses = [] }, index) =>
    addresses.flatMap((address, place) => ipWarnings(address, `endpoints[${index}].addresses[${place}]`)),
  );
}
