import type { JsonObject } from '#machinery/meta.ts';
import { applied, patched, type Step, type Subject } from './sequence.ts';

const inVersion = (version: string): Subject => ({
  collection: `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`,
  apiVersion: `autoscaling/${version}`,
  kind: 'HorizontalPodAutoscaler',
  name: 'owned',
});
const [first, second] = [inVersion('v1'), inVersion('v2')];

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
const cpu = (averageUtilization: number): JsonObject => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const force = { force: true };

/** Who owns what of an autoscaler that some write through v1 and others through v2. */
export const autoscalers: readonly Step[] = [
  applied('v1 creates', first, 'a', { spec: { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 50 } }),
  applied('another value at v2', second, 'b', { spec: { scaleTargetRef, maxReplicas: 6 } }),
  applied('the same by force', second, 'b', { spec: { scaleTargetRef, maxReplicas: 6 } }, force),
  applied('what v1 calls otherwise', second, 'b', { spec: { scaleTargetRef, maxReplicas: 6, metrics: [cpu(70)] } }),
  applied('by force', second, 'b', { spec: { scaleTargetRef, maxReplicas: 6, metrics: [cpu(70)] } }, force),
  applied('the first moves to v2', second, 'a', { spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 6 } }),
  applied('and back, with less', first, 'a', { spec: { scaleTargetRef, maxReplicas: 6 } }),
  patched('an update at v1', first, 'merge', { spec: { targetCPUUtilizationPercentage: 33 } }, '?fieldManager=u'),
  patched(
    'an update at v2',
    second,
    'merge',
    {
      spec: {
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '3' } } },
        ],
      },
    },
    '?fieldManager=u',
  ),
  patched('labels at v1', first, 'merge', { metadata: { labels: { a: 'b' } } }, '?fieldManager=u'),
  applied('too large a number', first, 'b', { spec: { scaleTargetRef, maxReplicas: 2 ** 31 } }, force),
  applied(
    'an annotation',
    first,
    'b',
    { metadata: { annotations: { x: 'y' } }, spec: { scaleTargetRef, maxReplicas: 6 } },
    force,
  ),
  applied('without it at v2', second, 'b', { spec: { scaleTargetRef, maxReplicas: 6 } }, force),
];
