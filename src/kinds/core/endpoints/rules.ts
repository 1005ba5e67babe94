import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateEndpoints } from '../validation.ts';

export const endpointsRules: KindRules<core.Endpoints> = {
  validate: validateEndpoints,
  defaults(endpoints) {
    for (const { ports } of endpoints.subsets ?? []) {
      for (const port of ports ?? []) port.protocol ??= 'TCP';
    }
  },
  allowCreateOnUpdate: true,
};
