import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { objectAs, type PluginEntry } from '../plugin.ts';

/** How long a pod stays bound to a node that is not ready or not reachable, unless it or the server says otherwise. */
const defaultSeconds = 300;

/** Pods tolerate a lost node for five minutes before they are evicted from it. */
export const defaultTolerationSeconds: PluginEntry = {
  name: 'DefaultTolerationSeconds',
  byDefault: true,
  create({ options: { notReadyTolerationSeconds, unreachableTolerationSeconds } }) {
    const taints = [
      { key: 'node.kubernetes.io/not-ready', tolerationSeconds: notReadyTolerationSeconds ?? defaultSeconds },
      { key: 'node.kubernetes.io/unreachable', tolerationSeconds: unreachableTolerationSeconds ?? defaultSeconds },
    ];
    return {
      name: 'DefaultTolerationSeconds',
      operations: ['CREATE', 'UPDATE'],
      resources: ['/pods'],
      mutate(attributes) {
        const { spec } = objectAs<Pod>(attributes);
        for (const { key, tolerationSeconds } of taints) {
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
            { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds },
          ];
        }
      },
    };
  },
};
