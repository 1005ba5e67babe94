import type * as coordination from '#kinds/generated/types/coordination_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateLease } from './validation.ts';

export const leaseRules: KindRules<coordination.Lease> = {
  validate: validateLease,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
};
