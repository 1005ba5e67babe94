import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import { cidrWarnings } from '#machinery/ip.ts';
import type { Mutable } from '#machinery/meta.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { validateNode, validateNodeUpdate } from './validation.ts';

export const nodeRules: KindRules<core.Node> = {
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  validateStatusUpdate: validateNodeUpdate,
  defaults(node) {
    const { status } = node;
    agreeOnRanges(node.spec);
    if (status === undefined) return;
    roundResources(status.capacity as ResourceList | undefined);
    const isSaid = status.allocatable !== undefined || emptiedFields(status)['allocatable'] !== undefined;
    if (!isSaid && status.capacity !== undefined) status.allocatable = { ...status.capacity };
    roundResources(status.allocatable as ResourceList | undefined);
    for (const taint of node.spec.taints ?? []) {
      if (taint.value === '') delete taint.value;
    }
  },
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec.unschedulable ?? false) },
  keepsStatusOnCreate: true,
  prepareForCreate: dropConfiguration,
  prepareForUpdate: dropConfiguration,
  prepareForStatusUpdate: dropConfiguration,
  warnings: ({ spec }) => [
    ...(spec.configSource === undefined ? [] : ['spec.configSource: the feature is removed']),
    ...((spec.externalID ?? '') === ''
      ? []
      : ['spec.externalID: this field is deprecated, and is unused by Kubernetes']),
    ...(spec.podCIDRs ?? []).flatMap((range, index) => cidrWarnings(range, `spec.podCIDRs[${index}]`)),
  ],
  hasGeneration: false,
};

/** The older field is the first of the newer ones, and wins where they do not agree. */
function agreeOnRanges(spec: Mutable<core.NodeSpec>): void {
  const { podCIDR = '', podCIDRs = [] } = spec;
  if (podCIDR !== '' && podCIDR !== podCIDRs[0]) spec.podCIDRs = [podCIDR];
  else if (podCIDR === '' && podCIDRs.length > 0) spec.podCIDR = podCIDRs[0]!;
}

/** What nodes could once be configured with is gone (KEP-281), and so is what they said of it. */
function dropConfiguration({ spec, status }: Mutable<core.Node>): void {
  delete spec.configSource;
  if (status !== undefined) delete status.config;
}
