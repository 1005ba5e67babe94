import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, objectAs, refusal } from '../plugin.ts';

const hostname = 'kubernetes.io/hostname';

/** Pods may keep others from their node, not from whole zones. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/pods'],
  validate(attributes) {
    const { affinity } = objectAs<Pod>(attributes).spec;
    for (const { topologyKey } of affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (topologyKey === hostname) continue;
      throw refusal(
        attributes,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${topologyKey} but only key ${hostname} is allowed`,
      );
    }
  },
};
