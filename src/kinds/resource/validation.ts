import { validateNodeSelector } from '#kinds/core/pod/validation/scheduling.ts';
import type * as resource from '#kinds/generated/types/resource_v1.ts';
import type { DeviceTaintRule } from '#kinds/generated/types/resource_v1beta2.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { immutable, invalidAll, validateLabels } from '#kinds/validation/common.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { validateAnnotations } from '#kinds/validation/object-meta.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, labelKeyProblems, subdomainProblems } from '#machinery/names.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { validateCounters, validateDevice, validateTaint } from './device.ts';
import { validatePoolName } from './names.ts';
import { maxConfigurations, type SelectorCheck, validateConfiguration, validateSelectors } from './requests.ts';
import { byName, validateSet } from './sets.ts';

/** Limits of resource.k8s.io. */
const maxDevices = 128;
const maxCounterSets = 8;
const maxDevicesWithExtras = 64;

export function validateDeviceClass(
  { spec }: resource.DeviceClass,
  compile: SelectorCheck = () => undefined,
): FieldError[] {
  const { selectors, config, extendedResourceName: name } = spec ?? {};
  const errors = [
    ...validateSelectors(selectors, 'spec.selectors', compile),
    ...validateSet(config, 'spec.config', { max: maxConfigurations }, validateConfiguration),
  ];
  const isExtended =
    name === undefined ||
    (name.includes('/') && !name.includes('kubernetes.io/') && labelKeyProblems(`requests.${name}`).length === 0);
  if (!isExtended)
    errors.push(fieldError.invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'));
  return errors;
}

export function validateSlice(slice: resource.ResourceSlice): FieldError[] {
  return validateSliceSpec(slice.spec, undefined);
}

export function validateSliceUpdate({ spec }: resource.ResourceSlice, old: resource.ResourceSlice): FieldError[] {
  return validateSliceSpec(spec, old.spec);
}

function validateSliceSpec(
  spec: resource.ResourceSliceSpec,
  old: resource.ResourceSliceSpec | undefined,
): FieldError[] {
  const { driver, pool, devices, sharedCounters } = spec;
  const { name = '', resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  const errors = [...validateDriverName(driver, 'spec.driver'), ...validatePoolName(name, 'spec.pool.name')];
  if (count <= 0) errors.push(fieldError.invalid('spec.pool.resourceSliceCount', count, 'must be greater than zero'));
  if (generation < 0)
    errors.push(fieldError.invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  if (old !== undefined)
    errors.push(
      ...immutable(name, old.pool?.name, 'spec.pool.name'),
      ...immutable(driver, old.driver, 'spec.driver'),
      ...immutable(spec.nodeName, old.nodeName, 'spec.nodeName'),
    );
  errors.push(...validatePlace(spec));
  const sent = emptiedFields(spec);
  if ((sharedCounters ?? sent['sharedCounters']) !== undefined && (devices ?? sent['devices']) !== undefined)
    errors.push(fieldError.invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  return [...errors, ...validateDevices(spec, old), ...validateSharedCounters(spec)];
}

function validateDevices(
  { devices, perDeviceNodeSelection }: resource.ResourceSliceSpec,
  old: resource.ResourceSliceSpec | undefined,
): FieldError[] {
  const hasExtras = devices?.some(({ taints, consumesCounters }) => (taints ?? consumesCounters ?? []).length > 0);
  const limits = { max: hasExtras === true ? maxDevicesWithExtras : maxDevices, key: byName };
  return validateSet(devices, 'spec.devices', limits, (device, path) => {
    const before = old?.devices?.find(({ name }) => name === device.name);
    return validateDevice(device, before, path, perDeviceNodeSelection === true);
  });
}

function validateSharedCounters({ sharedCounters }: resource.ResourceSliceSpec): FieldError[] {
  const limits = { max: maxCounterSets, key: byName };
  return validateSet(sharedCounters, 'spec.sharedCounters', limits, ({ name, counters }, path) =>
    validateCounters(name, counters, path, 'name'),
  );
}

/** A slice says in exactly one way which nodes can use its devices. */
function validatePlace(spec: resource.ResourceSliceSpec): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const errors: FieldError[] = [];
  const ways: string[] = [];
  if (nodeName === '')
    errors.push(fieldError.invalid('spec.nodeName', nodeName, 'must be either unset or set to a non-empty string'));
  else if (nodeName !== undefined) {
    ways.push('`nodeName`');
    errors.push(...invalidAll('spec.nodeName', nodeName, subdomainProblems(nodeName)));
  }
  if (nodeSelector !== undefined) {
    ways.push('`nodeSelector`');
    errors.push(...validateNodeSelector(nodeSelector, 'spec.nodeSelector'));
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const detail = 'must have exactly one node selector term';
      errors.push(
        fieldError.invalid(
          'spec.nodeSelector.nodeSelectorTerms',
          terms.map((one) => goStruct('core.NodeSelectorTerm', one)),
          detail,
        ),
      );
    }
  }
  for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection })) {
    if (value === true) ways.push(`\`${field}\``);
    if (value === false) errors.push(fieldError.invalid(`spec.${field}`, value, 'must be either unset or set to true'));
  }
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (ways.length === 0) errors.push(fieldError.required('spec', one));
  if (ways.length > 1)
    errors.push(fieldError.invalid('spec', `{${ways.join(', ')}}`, `${one}, but multiple fields are set`));
  return errors;
}

/** In the order of upstream's struct, which is walked through. */
const metadataFields = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const;

export function validateTemplateMetadata({ spec }: resource.ResourceClaimTemplate): FieldError[] {
  const path = 'spec.metadata';
  const { annotations, labels, ...others } = spec?.metadata ?? {};
  const sent = emptiedFields(spec?.metadata ?? {});
  return [
    ...validateAnnotations(annotations, `${path}.annotations`),
    ...validateLabels(labels, `${path}.labels`),
    ...metadataFields
      .filter((field) => (others[field] ?? sent[field] ?? '') !== '' && (field !== 'generation' || others[field] !== 0))
      .map((field) => fieldError.forbidden(`${path}.${field === 'uid' ? 'uID' : field}`, 'cannot be set')),
  ];
}

export function validateTaintRule({ spec }: DeviceTaintRule): FieldError[] {
  const { deviceSelector, taint } = spec;
  const { driver, pool, device } = deviceSelector ?? {};
  return [
    ...(driver === undefined ? [] : validateDriverName(driver, 'spec.deviceSelector.driver')),
    ...(pool === undefined ? [] : validatePoolName(pool, 'spec.deviceSelector.pool')),
    ...(device === undefined ? [] : invalidAll('spec.deviceSelector.device', device, label1123Problems(device))),
    ...validateTaint(taint ?? {}, 'spec.taint'),
  ];
}
