import type * as discovery from '#kinds/generated/types/discovery_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

export const endpointSliceRules: KindRules<discovery.EndpointSlice> = {
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  warnings: ({ addressType }, old) =>
    old === undefined && addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [],
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  hasGeneration: true,
  labelsCount: true,
};
