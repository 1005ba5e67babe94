import type * as resource from '#kinds/generated/types/resource_v1.ts';
import type * as beta from '#kinds/generated/types/resource_v1beta1.ts';
import type { DeviceTaintRule } from '#kinds/generated/types/resource_v1beta2.ts';
import type { KindRules } from '#kinds/kind.ts';
import { immutable } from '#kinds/validation/common.ts';
import type { Mutable } from '#machinery/meta.ts';
import { subdomainProblems } from '#machinery/names.ts';
import { dropField } from '#machinery/sent-empty.ts';
import { formatTime } from '#machinery/time.ts';
import { dropReturned, validateClaimStatusUpdate } from './claim-status.ts';
import { claimFromBeta, sliceFromBeta, templateFromBeta } from './conversion.ts';
import { validateClaimSpec } from './requests.ts';
import {
  validateDeviceClass,
  validateSlice,
  validateSliceUpdate,
  validateTaintRule,
  validateTemplateMetadata,
} from './validation.ts';

/** Kinds of dynamic resource allocation (KEP-4381). */

interface Request {
  allocationMode?: string;
  count?: number;
  tolerations?: { operator?: string }[];
}

function defaultRequest(request: Request): void {
  defaultTolerations(request);
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
}

function defaultTolerations({ tolerations = [] }: Request): void {
  for (const toleration of tolerations) toleration.operator ||= 'Equal';
}

function defaultRequests(requests: Mutable<readonly resource.DeviceRequest[]> | undefined): void {
  for (const { exactly, firstAvailable = [] } of requests ?? []) {
    if (exactly !== undefined) defaultRequest(exactly);
    for (const alternative of firstAvailable) defaultRequest(alternative);
  }
}

function defaultBetaRequests(requests: Mutable<readonly beta.DeviceRequest[]> | undefined): void {
  for (const request of requests ?? []) {
    const alternatives = request.firstAvailable ?? [];
    if (alternatives.length === 0) defaultRequest(request);
    else defaultTolerations(request);
    for (const alternative of alternatives) defaultRequest(alternative);
  }
}

export const deviceClassRules: KindRules<resource.DeviceClass> = {
  nameProblems: (name) => subdomainProblems(name, 'bytes'),
  validate: (deviceClass, { checkSelector }) => validateDeviceClass(deviceClass, checkSelector),
  hasGeneration: true,
};

export const resourceClaimRules: KindRules<resource.ResourceClaim> = {
  validateUpdateOnly: true,
  defaults: ({ spec }) => defaultRequests(spec?.devices?.requests),
  validate: ({ spec }, { checkSelector }) => validateClaimSpec(spec, 'spec', checkSelector),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimSpec'),
  prepareForStatusUpdate: ({ status }, { status: old }) => dropReturned(status, old),
  validateStatusUpdate: validateClaimStatusUpdate,
  hasGeneration: false,
};

export const resourceClaimTemplateRules: KindRules<resource.ResourceClaimTemplate> = {
  defaults: ({ spec }) => defaultRequests(spec?.spec?.devices?.requests),
  validate: (template, { checkSelector }) => [
    ...validateTemplateMetadata(template),
    ...validateClaimSpec(template.spec?.spec, 'spec.spec', checkSelector),
  ],
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimTemplateSpec'),
};

export const resourceSliceRules: KindRules<resource.ResourceSlice> = {
  prepareForCreate: ({ spec }, { now }) => prepareDevices(spec?.devices, now),
  prepareForUpdate: ({ spec }, _, { now }) => prepareDevices(spec?.devices, now),
  countsDropped: true,
  warnings: ({ spec }) => driverWarnings(spec?.driver ?? ''),
  validateUpdateOnly: true,
  validate: validateSlice,
  validateUpdate: validateSliceUpdate,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  hasGeneration: true,
};

function driverWarnings(driver: string): string[] {
  if (driver === driver.toLowerCase()) return [];
  const shown = JSON.stringify(driver);
  return [`spec.driver: driver names should be lowercase; ${shown} contains uppercase characters`];
}

/** Fields of features that are still off. */
const ungated = ['bools', 'ints', 'strings', 'versions'];

function prepareDevices(devices: Mutable<readonly resource.Device[]> | undefined, now: number): void {
  for (const device of devices ?? []) {
    for (const taint of device.taints ?? []) taint.timeAdded ??= formatTime(now);
    dropField(device, 'nodeAllocatableResourceMappings');
    for (const attribute of Object.values(device.attributes ?? {}))
      for (const field of ungated) dropField(attribute, field);
  }
}

/** The first beta has another shape: it is judged as what it becomes. */
export const betaResourceClaimRules: KindRules<beta.ResourceClaim> = {
  validateUpdateOnly: true,
  defaults: ({ spec }) => defaultBetaRequests(spec?.devices?.requests),
  validate: (claim, { checkSelector }) => validateClaimSpec(claimFromBeta(claim).spec, 'spec', checkSelector),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimSpec'),
  validateStatusUpdate: (claim, old) => validateClaimStatusUpdate(claimFromBeta(claim), claimFromBeta(old)),
  hasGeneration: false,
};

export const betaResourceClaimTemplateRules: KindRules<beta.ResourceClaimTemplate> = {
  defaults: ({ spec }) => defaultBetaRequests(spec?.spec?.devices?.requests),
  validate: (template, { checkSelector }) =>
    validateClaimSpec(templateFromBeta(template).spec?.spec, 'spec.spec', checkSelector),
  validateUpdate: ({ spec }, { spec: old }) => immutable(spec, old, 'spec', 'resource.ResourceClaimTemplateSpec'),
};

export const betaResourceSliceRules: KindRules<beta.ResourceSlice> = {
  validate: (slice) => validateSlice(sliceFromBeta(slice)),
  validateUpdateOnly: true,
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
