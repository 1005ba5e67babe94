import type * as coordination from '#kinds/generated/types/coordination_v1.ts';
import type { KindRules, RuleContext } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateLease } from './validation.ts';

/** Who comes next is said only where leaders are elected by the server (KEP-4355). */
function dropUnlessCoordinated({ spec }: Mutable<coordination.Lease>, { featureEnabled }: RuleContext): void {
  if (spec === undefined || featureEnabled('CoordinatedLeaderElection')) return;
  delete spec.strategy;
  delete spec.preferredHolder;
}

export const leaseRules: KindRules<coordination.Lease> = {
  prepareForCreate: dropUnlessCoordinated,
  prepareForUpdate: (lease, _, context) => dropUnlessCoordinated(lease, context),
  validate: validateLease,
  finalizerRule: 'any',
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
};
