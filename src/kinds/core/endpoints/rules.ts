import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { ipWarnings } from '#machinery/ip.ts';
import { validateEndpoints } from './validation.ts';

export const endpointsRules: KindRules<core.Endpoints> = {
  validate: validateEndpoints,
  warnings({ metadata, subsets = [] }) {
    if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return [];
    return subsets.flatMap((subset, index) =>
      (['addresses', 'notReadyAddresses'] as const).flatMap((field) =>
        (subset[field] ?? []).flatMap(({ ip }, place) => ipWarnings(ip, `subsets[${index}].${field}[${place}].ip`)),
      ),
    );
  },
  defaults(endpoints) {
    for (const { ports } of endpoints.subsets ?? []) {
      for (const port of ports ?? []) port.protocol ??= 'TCP';
    }
  },
  allowCreateOnUpdate: true,
};
