import type { Deployment, DeploymentCondition } from '#kinds/generated/types/apps_v1.ts';
import { formatTime } from '#machinery/time.ts';

export type DeploymentConditionType = 'Available' | 'Progressing' | 'ReplicaFailure';

/** A condition without its times. */
export interface ConditionNote {
  readonly type: DeploymentConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** That a rollout goes on, or is done. */
export function progressNote(reason: string, message: string): ConditionNote {
  return { type: 'Progressing', status: 'True', reason, message };
}

type Conditions = readonly DeploymentCondition[];

export function findCondition(conditions: Conditions | undefined, type: DeploymentConditionType) {
  return conditions?.find((condition) => condition.type === type);
}

export function removeCondition(conditions: Conditions, type: DeploymentConditionType): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** Same status and reason: nothing changes. Same status: the transition time stays. */
export function setCondition(conditions: Conditions, note: ConditionNote, nowMs: number): Conditions {
  const current = findCondition(conditions, note.type);
  if (current?.status === note.status && current.reason === note.reason) return conditions;
  return replaceCondition(conditions, note, nowMs);
}

/** Like setCondition, but the update time and message are renewed even when status and reason stay. */
export function replaceCondition(conditions: Conditions, note: ConditionNote, nowMs: number): Conditions {
  const current = findCondition(conditions, note.type);
  const now = formatTime(nowMs);
  const lastTransitionTime = current?.status === note.status ? (current.lastTransitionTime ?? now) : now;
  return [...removeCondition(conditions, note.type), { ...note, lastUpdateTime: now, lastTransitionTime }];
}

/** The longest 32-bit number stands for "no deadline". */
const noDeadline = 2 ** 31 - 1;

export function hasProgressDeadline(deployment: Deployment): boolean {
  const { progressDeadlineSeconds } = deployment.spec;
  return progressDeadlineSeconds !== undefined && progressDeadlineSeconds !== noDeadline;
}
