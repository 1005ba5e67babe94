import type * as discovery from '#kinds/generated/types/discovery_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const endpointSliceRules: KindRules<discovery.EndpointSlice> = {
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  hasGeneration: true,
};
