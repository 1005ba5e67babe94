import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const endpointsRules: KindRules<core.Endpoints> = {
  defaults(endpoints) {
    for (const { ports } of endpoints.subsets ?? []) {
      for (const port of ports ?? []) port.protocol ??= 'TCP';
    }
  },
  allowCreateOnUpdate: true,
};
