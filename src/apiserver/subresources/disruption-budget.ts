import type { PodDisruptionBudget } from '#kinds/generated/types/policy_v1.ts';
import { ApiError, forbidden } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { withCondition } from './conditions.ts';

/** Pods that a budget may remember as on their way out, as upstream has it. */
const maxDisruptedPods = 2000;

/** After so long, a budget that was just written has been looked at. */
const processingSeconds = 10;

/** Lets one more pod go at the expense of a budget. @throws ApiError 429 when it has nothing left. */
export function takeDisruption(budget: Mutable<PodDisruptionBudget>, podName: string, now: string): void {
  const { metadata, status } = budget;
  const name = metadata.name ?? '';
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    throw stillProcessed(name, processingSeconds);
  const { disruptionsAllowed = 0, disruptedPods = {} } = status;
  const refusal = (why: string) => forbidden({ group: 'policy', resource: 'poddisruptionbudget' }, name, why);
  if (disruptionsAllowed < 0) throw refusal('pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > maxDisruptedPods)
    throw refusal('DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (disruptionsAllowed === 0) throw nothingLeft(budget as PodDisruptionBudget);
  status.disruptionsAllowed = disruptionsAllowed - 1;
  if (disruptionsAllowed === 1) noteNothingLeft(status, now);
  status.disruptedPods = { ...disruptedPods, [podName]: now };
}

/** Refused because nobody has counted yet, or counted anew. */
export function stillProcessed(name: string, retryAfterSeconds?: number): ApiError {
  return refused(`The disruption budget ${name} is still being processed by the server.`, retryAfterSeconds);
}

function nothingLeft({ metadata, status }: PodDisruptionBudget): ApiError {
  const { desiredHealthy = 0, currentHealthy = 0, conditions = [] } = status ?? {};
  const condition = conditions.find(({ type }) => type === 'DisruptionAllowed');
  const budget = `The disruption budget ${metadata.name}`;
  if (condition?.status === 'False' && condition.reason === 'SyncFailed')
    return refused(`${budget} does not allow evicting pods currently because it failed sync: ${condition.message}`);
  if (currentHealthy <= desiredHealthy)
    return refused(`${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`);
  return refused(`${budget} does not allow evicting pods currently`);
}

function noteNothingLeft(status: NonNullable<Mutable<PodDisruptionBudget>['status']>, now: string): void {
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    observedGeneration: status.observedGeneration ?? 0,
  } as const;
  status.conditions = withCondition(status.conditions, condition, now);
}

function refused(message: string, retryAfterSeconds?: number): ApiError {
  const details = {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
  return new ApiError(429, 'TooManyRequests', refusal, details);
}
