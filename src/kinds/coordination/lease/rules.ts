import type * as coordination from '#kinds/generated/types/coordination_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const leaseRules: KindRules<coordination.Lease> = {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
};
