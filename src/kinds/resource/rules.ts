import type * as resource from '#kinds/generated/types/resource_v1.ts';
import type * as beta from '#kinds/generated/types/resource_v1beta1.ts';
import type { DeviceTaintRule } from '#kinds/generated/types/resource_v1beta2.ts';
import type { KindRules } from '#kinds/kind.ts';
import { immutable } from '#kinds/validation/common.ts';
import type { Mutable } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import { claimFromBeta, sliceFromBeta, templateFromBeta } from './conversion.ts';
import {
  validateClaimSpec,
  validateClaimStatusUpdate,
  validateDeviceClass,
  validateSlice,
  validateSliceUpdate,
  validateTaintRule,
  validateTemplateMetadata,
} from './validation.ts';

/** Kinds of dynamic resource allocation (KEP-4381). */

interface Counted {
  allocationMode?: string;
  count?: number;
}

function defaultCount(request: Counted): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
}

function defaultRequests(requests: Mutable<readonly resource.DeviceRequest[]> | undefined): void {
  for (const { exactly, firstAvailable = [] } of requests ?? []) {
    if (exactly !== undefined) defaultCount(exactly);
    for (const alternative of firstAvailable) defaultCount(alternative);
  }
}

function defaultBetaRequests(requests: Mutable<readonly beta.DeviceRequest[]> | undefined): void {
  for (const request of requests ?? []) {
    const alternatives = request.firstAvailable ?? [];
    if (alternatives.length === 0) defaultCount(request);
    for (const alternative of alternatives) defaultCount(alternative);
  }
}

export const deviceClassRules: KindRules<resource.DeviceClass> = {
  validate: validateDeviceClass,
  hasGeneration: true,
};

export const resourceClaimRules: KindRules<resource.ResourceClaim> = {
  validateUpdateOnly: true,
  defaults: ({ spec }) => defaultRequests(spec?.devices?.requests),
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimSpec'),
  validateStatusUpdate: validateClaimStatusUpdate,
  hasGeneration: false,
};

export const resourceClaimTemplateRules: KindRules<resource.ResourceClaimTemplate> = {
  defaults: ({ spec }) => defaultRequests(spec?.spec?.devices?.requests),
  validate: (template) => [
    ...validateTemplateMetadata(template),
    ...validateClaimSpec(template.spec?.spec, 'spec.spec'),
  ],
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimTemplateSpec'),
};

export const resourceSliceRules: KindRules<resource.ResourceSlice> = {
  prepareForCreate: ({ spec }, { now }) => stampTaints(spec?.devices, now),
  prepareForUpdate: ({ spec }, _, { now }) => stampTaints(spec?.devices, now),
  validate: validateSlice,
  validateUpdate: validateSliceUpdate,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  hasGeneration: true,
};

function stampTaints(devices: Mutable<readonly resource.Device[]> | undefined, now: number): void {
  for (const { taints = [] } of devices ?? []) for (const taint of taints) taint.timeAdded ??= formatTime(now);
}

/** The first beta has another shape: it is judged as what it becomes. */
export const betaResourceClaimRules: KindRules<beta.ResourceClaim> = {
  validateUpdateOnly: true,
  defaults: ({ spec }) => defaultBetaRequests(spec?.devices?.requests),
  validate: (claim) => validateClaimSpec(claimFromBeta(claim).spec, 'spec'),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimSpec'),
  validateStatusUpdate: (claim, old) => validateClaimStatusUpdate(claimFromBeta(claim), claimFromBeta(old)),
  hasGeneration: false,
};

export const betaResourceClaimTemplateRules: KindRules<beta.ResourceClaimTemplate> = {
  defaults: ({ spec }) => defaultBetaRequests(spec?.spec?.devices?.requests),
  validate: (template) => validateClaimSpec(templateFromBeta(template).spec?.spec, 'spec.spec'),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimTemplateSpec'),
};

export const betaResourceSliceRules: KindRules<beta.ResourceSlice> = {
  validate: (slice) => validateSlice(sliceFromBeta(slice)),
  validateUpdate: (slice, old) => validateSliceUpdate(sliceFromBeta(slice), sliceFromBeta(old)),
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  hasGeneration: true,
};

export const deviceTaintRuleRules: KindRules<DeviceTaintRule> = {
  prepareForCreate: ({ spec }, { now }) => stampTaint(spec?.taint, now),
  prepareForUpdate: ({ spec }, _, { now }) => stampTaint(spec?.taint, now),
  validate: validateTaintRule,
};

function stampTaint(taint: { timeAdded?: string } | undefined, now: number): void {
  if (taint !== undefined) taint.timeAdded ??= formatTime(now);
}
