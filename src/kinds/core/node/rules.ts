import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import { validateNode, validateNodeUpdate } from '../validation.ts';

export const nodeRules: KindRules<core.Node> = {
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  defaults(node) {
    const { status } = node;
    if (status === undefined) return;
    roundResources(status.capacity as ResourceList | undefined);
    if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
    roundResources(status.allocatable as ResourceList | undefined);
    for (const taint of node.spec.taints ?? []) {
      if (taint.value === '') delete taint.value;
    }
    if (node.spec.podCIDR !== undefined) node.spec.podCIDRs ??= [node.spec.podCIDR];
  },
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec.unschedulable ?? false) },
  keepsStatusOnCreate: true,
  hasGeneration: false,
};
