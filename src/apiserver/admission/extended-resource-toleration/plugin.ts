import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, objectAs } from '../plugin.ts';

/** Pods that ask for a device tolerate the taint that keeps others away from the nodes that have it. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/pods'],
  mutate(attributes) {
    const { spec } = objectAs<Pod>(attributes);
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
    const named = containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
    for (const key of [...new Set(named)].filter(isExtended).sort()) {
      const toleration = { key, operator: 'Exists', effect: 'NoSchedule' };
      const others = (spec.tolerations ?? []).filter(
        (own) => own.key !== key || own.operator !== 'Exists' || own.effect !== 'NoSchedule',
      );
      spec.tolerations = [...others, toleration];
    }
  },
};

function isExtended(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.');
}
