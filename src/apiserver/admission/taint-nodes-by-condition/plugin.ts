import type { Node } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, objectAs } from '../plugin.ts';

const notReady = 'node.kubernetes.io/not-ready';

/** A new node takes no pods before its first report: the node lifecycle controller lifts the taint. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  operations: ['CREATE'],
  resources: ['/nodes'],
  mutate(attributes) {
    const node = objectAs<Node>(attributes);
    if (node.spec.taints?.some(({ key, effect }) => key === notReady && effect === 'NoSchedule')) return;
    node.spec.taints = [...(node.spec.taints ?? []), { key: notReady, effect: 'NoSchedule' }];
  },
};
