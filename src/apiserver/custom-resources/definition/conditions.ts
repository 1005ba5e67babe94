import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
} from '#kinds/generated/types/apiextensions_v1.ts';
import { formatTime } from '#machinery/time.ts';

export type ConditionType =
  | 'Established'
  | 'NamesAccepted'
  | 'NonStructuralSchema'
  | 'Terminating'
  | 'KubernetesAPIApprovalPolicyConformant';

export function isConditionTrue({ status }: CustomResourceDefinition, type: ConditionType): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

export interface ConditionChange {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** The conditions with one of them set; the time of its last transition moves only with its status. `now` in ms. */
export function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[],
  change: ConditionChange,
  now: number,
): readonly CustomResourceDefinitionCondition[] {
  const at = conditions.findIndex(({ type }) => type === change.type);
  const old = conditions[at];
  const { type, status, reason, message } = change;
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : formatTime(now);
  const next: CustomResourceDefinitionCondition = {
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    message,
    reason,
    status,
    type,
  };
  return at < 0 ? [...conditions, next] : conditions.map((condition, index) => (index === at ? next : condition));
}
