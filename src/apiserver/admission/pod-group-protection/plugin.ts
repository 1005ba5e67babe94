import type { AdmissionPlugin } from '../plugin.ts';

/** A controller takes it off again when no pod of the group may run any more. */
const finalizer = 'scheduling.k8s.io/podgroup-protection';

/** Pod groups stay as long as pods are scheduled by them (KEP-4671). Behind the feature gate `GenericWorkload`. */
export const podGroupProtection: AdmissionPlugin = {
  name: 'PodGroupProtection',
  operations: ['CREATE'],
  resources: ['scheduling.k8s.io/podgroups'],
  mutate({ object }) {
    const { metadata } = object!;
    if (metadata.finalizers?.includes(finalizer) === true) return;
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
