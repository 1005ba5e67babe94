import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, objectAs } from '../plugin.ts';

/** How long a pod stays bound to a node that is not ready or not reachable, unless it says otherwise. */
const toleratedSeconds = 300;
const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods tolerate a lost node for five minutes before they are evicted from it. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  operations: ['CREATE', 'UPDATE'],
  resources: ['/pods'],
  mutate(attributes) {
    const { spec } = objectAs<Pod>(attributes);
    for (const key of taints) {
      const tolerated = spec.tolerations?.some((toleration) => {
        const matchesKey = toleration.key === key || toleration.key === undefined || toleration.key === '';
        return (
          matchesKey &&
          (toleration.effect === 'NoExecute' || toleration.effect === undefined || toleration.effect === '')
        );
      });
      if (tolerated === true) continue;
      spec.tolerations = [
        ...(spec.tolerations ?? []),
        { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: toleratedSeconds },
      ];
    }
  },
};
