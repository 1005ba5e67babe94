import type * as discovery from '#kinds/generated/types/discovery_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { ipWarnings } from '#machinery/ip.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

const hostLabel = 'kubernetes.io/hostname';

export const endpointSliceRules: KindRules<discovery.EndpointSlice> = {
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  validateUpdateOnly: true,
  prepareForCreate: (slice) => dropTopology(slice, undefined),
  prepareForUpdate: dropTopology,
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
  countedMetadata: 'labels',
};

const controllers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

function addressWarnings({ metadata, endpoints = [] }: discovery.EndpointSlice): string[] {
  if (controllers.includes(metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return [];
  return endpoints.flatMap(({ addresses = [] }, index) =>
    addresses.flatMap((address, place) => ipWarnings(address, `endpoints[${index}].addresses[${place}]`)),
  );
}

/** The topology of the first beta cannot be written any more; a node that it named is kept in the field for nodes. */
function dropTopology(slice: Mutable<discovery.EndpointSlice>, old: discovery.EndpointSlice | undefined): void {
  const { endpoints = [] } = slice;
  if (!endpoints.some(({ deprecatedTopology }) => deprecatedTopology !== undefined)) return;
  if (old !== undefined && equalValues(old.endpoints, slice.endpoints)) return;
  // The attempt counts as a change.
  if (old !== undefined) slice.metadata.generation = (old.metadata.generation ?? 0) + 1;
  const known = new Set((old?.endpoints ?? []).map(({ deprecatedTopology }) => deprecatedTopology?.[hostLabel]));
  for (const endpoint of endpoints) {
    const name = endpoint.deprecatedTopology?.[hostLabel];
    if (name !== undefined && known.has(name)) endpoint.nodeName ??= name;
    delete endpoint.deprecatedTopology;
  }
}
