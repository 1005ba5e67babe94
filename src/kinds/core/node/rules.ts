import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateNode, validateNodeUpdate } from '../validation.ts';

export const nodeRules: KindRules<core.Node> = {
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  defaults(node) {
    matchAddressRanges(node.spec);
    const { status } = node;
    if (status === undefined) return;
    roundResources(status.capacity as ResourceList | undefined);
    if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
    roundResources(status.allocatable as ResourceList | undefined);
    for (const taint of node.spec.taints ?? []) {
      if (taint.value === '') delete taint.value;
    }
  },
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec.unschedulable ?? false) },
  keepsStatusOnCreate: true,
  hasGeneration: false,
};

/** The range of former times is the first of those of today, whichever of the two is said. */
function matchAddressRanges(spec: Mutable<core.NodeSpec>): void {
  const { podCIDR, podCIDRs = [] } = spec;
  if (podCIDR !== undefined && podCIDR !== podCIDRs[0]) spec.podCIDRs = [podCIDR];
  else if (podCIDRs[0] !== undefined) spec.podCIDR = podCIDRs[0];
}
