import { PodGroup } from '#kinds/generated/handles.ts';
import type { Job } from '#kinds/generated/types/batch_v1.ts';
import type { PodGroup as Group } from '#kinds/generated/types/scheduling_v1alpha2.ts';
import type { Registry } from '../../registry/registry.ts';
import { type AdmissionPlugin, lookUp, lookUpAll, objectAs, refusal } from '../plugin.ts';

/** A job whose pods are scheduled all or none keeps its size (KEP-4671). Behind the feature gate `GenericWorkload`. */
export const jobValidation: AdmissionPlugin = {
  name: 'JobValidation',
  operations: ['UPDATE'],
  resources: ['batch/jobs'],
  validate(attributes, registry) {
    const old = attributes.oldObject as Job;
    if (objectAs<Job>(attributes).spec.parallelism === old.spec.parallelism) return;
    const gang = groupsOf(old, registry).find(({ spec }) => spec.schedulingPolicy.gang !== undefined);
    if (gang === undefined) return;
    const name = JSON.stringify(gang.metadata.name);
    throw refusal(attributes, `cannot change parallelism for a Job referencing gang-scheduled PodGroup ${name}`);
  },
};

/** The group that the job's template names, or those that belong to the job. */
function groupsOf({ metadata, spec }: Job, registry: Registry): readonly Group[] {
  const { namespace = '', uid } = metadata;
  const name = spec.template.spec?.schedulingGroup?.podGroupName;
  if (name !== undefined) {
    const group = lookUp(registry, PodGroup, { namespace, name });
    return group === undefined ? [] : [group];
  }
  return [...lookUpAll(registry, PodGroup)].filter(
    (group) =>
      group.metadata.namespace === namespace &&
      group.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) === true,
  );
}
