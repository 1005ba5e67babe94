import type {
  CustomResourceDefinition,
  CustomResourceDefinitionStatus,
} from '#kinds/generated/types/apiextensions_v1.ts';
import { approvalCondition } from './approval.ts';
import { type ConditionChange, isConditionTrue, withCondition } from './conditions.ts';
import { acceptNames } from './names.ts';

/** The status that follows from a definition and the others of its group. `now` in ms. */
export function decidedStatus(
  definition: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  now: number,
): CustomResourceDefinitionStatus {
  const { accepted, condition } = acceptNames(definition, others);
  const changes: ConditionChange[] = [condition];
  // Once served, a kind stays served, whatever becomes of its names.
  if (!isConditionTrue(definition, 'Established')) {
    const type = 'Established';
    changes.push(
      condition.status === 'True'
        ? { type, status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
        : { type, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
    );
  }
  const approval = approvalCondition(definition);
  if (approval !== undefined) changes.push(approval);
  const kept = (definition.spec.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);
  const stored = definition.status?.storedVersions ?? [];
  return {
    ...definition.status,
    acceptedNames: accepted,
    conditions: changes.reduce(
      (conditions, change) => withCondition(conditions, change, now),
      definition.status?.conditions ?? [],
    ),
    storedVersions: [...new Set([...stored, ...kept])],
  };
}
