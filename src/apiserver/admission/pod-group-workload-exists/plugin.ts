import { Workload } from '#kinds/generated/handles.ts';
import type { PodGroup } from '#kinds/generated/types/scheduling_v1alpha2.ts';
import { type AdmissionPlugin, lookUp, objectAs, refusal } from '../plugin.ts';

/** A pod group is made after a template that there is (KEP-4671). Behind the feature gate `GenericWorkload`. */
export const podGroupWorkloadExists: AdmissionPlugin = {
  name: 'PodGroupWorkloadExists',
  operations: ['CREATE'],
  resources: ['scheduling.k8s.io/podgroups'],
  validate(attributes, registry) {
    const reference = objectAs<PodGroup>(attributes).spec.podGroupTemplateRef?.workload;
    if (reference === undefined) return;
    const { workloadName: name, podGroupTemplateName } = reference;
    const shown = JSON.stringify(name);
    const workload = lookUp(registry, Workload, { namespace: attributes.request.namespace, name });
    if (workload === undefined) throw refusal(attributes, `PodGroup rejected: Workload ${shown} not found`);
    if (workload.metadata.deletionTimestamp !== undefined)
      throw refusal(attributes, `PodGroup rejected: Workload ${shown} is being deleted`);
    if (workload.spec.podGroupTemplates.some((template) => template.name === podGroupTemplateName)) return;
    const template = JSON.stringify(podGroupTemplateName);
    throw refusal(attributes, `PodGroup rejected: PodGroupTemplate ${template} not found in Workload ${shown}`);
  },
};
