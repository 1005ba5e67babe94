import { validateNodeSelector } from '#kinds/core/pod/validation/scheduling.ts';
import type * as resource from '#kinds/generated/types/resource_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { invalidAll, requiredOneOf } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, labelKeyProblems, labelValueProblems, subdomainProblems } from '#machinery/names.ts';
import { validateCapacity } from './capacity.ts';
import { validateQualifiedName } from './names.ts';
import { validateMap, validateName, validateSet } from './sets.ts';

/** Limits of a device in a slice. */
const maxAttributesAndCapacities = 32;
const maxAttributeValues = 48;
const maxTextBytes = 64;
const maxTaints = 16;
const maxConsumptions = 2;
const maxCounters = 32;
const maxConditions = 4;
const shownNameBytes = 96;
const shownLabelBytes = 63;
export const taintEffects = ['NoExecute', 'NoSchedule', 'None'];

/** A device of a slice; `perDevice` when each device says for itself which nodes can use it. */
export function validateDevice(
  device: resource.Device,
  old: resource.Device | undefined,
  path: string,
  perDevice: boolean,
): FieldError[] {
  const { attributes = {}, capacity = {}, taints = [], consumesCounters } = device;
  const isShared = device.allowMultipleAllocations === true;
  const errors = validateName(device.name, `${path}.name`);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > maxAttributesAndCapacities) {
    const detail = `the total number of attributes and capacities must not exceed ${maxAttributesAndCapacities}`;
    errors.push(fieldError.invalid(path, count, detail));
  }
  const values = Object.keys(attributes).length;
  if (values > maxAttributeValues) {
    const detail = `the total number of attribute values must not exceed ${maxAttributeValues}`;
    errors.push(fieldError.invalid(path, values, detail));
  }
  const shown = { shownBytes: shownNameBytes };
  errors.push(
    ...validateMap(attributes, `${path}.attributes`, shown, validateQualifiedName, validateAttribute),
    ...validateMap(capacity, `${path}.capacity`, shown, validateQualifiedName, (one, at) =>
      validateCapacity(one, at, isShared),
    ),
  );
  if (old === undefined || !equalValues(old.taints ?? [], taints))
    errors.push(...validateSet(taints, `${path}.taints`, { max: maxTaints }, validateTaint));
  const bySet = {
    max: maxConsumptions,
    key: ({ counterSet = '' }: Partial<resource.DeviceCounterConsumption>) => counterSet,
  };
  return [
    ...errors,
    ...validateSet(consumesCounters, `${path}.consumesCounters`, bySet, ({ counterSet, counters }, at) =>
      validateCounters(counterSet, counters, at, 'counterSet'),
    ),
    ...validateNodes(device, path, perDevice),
    ...validateBinding(device, path),
  ];
}

/** A name and its counters, as a slice has them and as a device uses them up. */
export function validateCounters(
  name: string | undefined,
  counters: Readonly<Record<string, resource.Counter>> | undefined,
  path: string,
  field: 'name' | 'counterSet',
): FieldError[] {
  const at = `${path}.${field}`;
  const errors = (name ?? '') === '' ? [fieldError.required(at)] : validateName(name, at);
  if (Object.keys(counters ?? {}).length === 0) return [...errors, fieldError.required(`${path}.counters`)];
  const limits = { max: maxCounters, shownBytes: shownLabelBytes };
  return [...errors, ...validateMap(counters, `${path}.counters`, limits, validateName, () => [])];
}

const number = '(0|[1-9]\\d*)';
const preRelease = '(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
const build = '[0-9a-zA-Z-]+';
const semanticVersion = new RegExp(
  `^${number}\\.${number}\\.${number}(-${preRelease}(\\.${preRelease})*)?(\\+${build}(\\.${build})*)?$`,
);

function validateAttribute(attribute: resource.DeviceAttribute, path: string): FieldError[] {
  const { bool, int, string, version } = attribute;
  const tooLong = (text: string | undefined, at: string): FieldError[] =>
    byteLength(text ?? '') > maxTextBytes ? [fieldError.tooLong(at, maxTextBytes)] : [];
  const errors = tooLong(string, `${path}.string`);
  if (version !== undefined && !semanticVersion.test(version)) {
    const detail = 'must be a string compatible with semver.org spec 2.0.0';
    errors.push(fieldError.invalid(`${path}.version`, version, detail));
  }
  errors.push(...tooLong(version, `${path}.version`));
  const count = [bool, int, string, version].filter((value) => value !== undefined).length;
  if (count === 1) return errors;
  const value = count === 0 ? '' : goStruct('resource.DeviceAttribute', attribute);
  return [...errors, fieldError.invalid(path, value, 'exactly one value must be specified')];
}

/** A taint, of a device or of a rule that taints devices. */
export function validateTaint(
  { key = '', value = '', effect }: Partial<resource.DeviceTaint>,
  path: string,
): FieldError[] {
  return [
    ...invalidAll(`${path}.key`, key, labelKeyProblems(key)),
    ...(value === '' ? [] : invalidAll(`${path}.value`, value, labelValueProblems(value))),
    ...requiredOneOf(effect, taintEffects, `${path}.effect`),
  ];
}

function validateNodes(
  { nodeName, nodeSelector, allNodes }: resource.Device,
  path: string,
  perDevice: boolean,
): FieldError[] {
  if (!perDevice) {
    if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
    const detail =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    return [fieldError.invalid(path, null, detail)];
  }
  const ways: string[] = [];
  const errors: FieldError[] = [];
  if (nodeName === '') errors.push(fieldError.invalid(`${path}.nodeName`, nodeName, 'must not be empty'));
  else if (nodeName !== undefined) {
    ways.push('`nodeName`');
    errors.push(...invalidAll(`${path}.nodeName`, nodeName, subdomainProblems(nodeName)));
  }
  if (nodeSelector !== undefined) {
    ways.push('`nodeSelector`');
    errors.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`));
  }
  if (allNodes === true) ways.push('`allNodes`');
  if (allNodes === false)
    errors.push(fieldError.invalid(`${path}.allNodes`, allNodes, 'must be either unset or set to true'));
  const one =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (ways.length === 0) errors.push(fieldError.required(path, one));
  if (ways.length > 1) errors.push(fieldError.invalid(path, `{${ways.join(', ')}}`, one));
  return errors;
}

/** Conditions that a pod waits for before it is bound (KEP-5007): of both kinds or of none. */
export function validateBinding(
  {
    bindingConditions = [],
    bindingFailureConditions = [],
  }: Pick<resource.Device, 'bindingConditions' | 'bindingFailureConditions'>,
  path: string,
): FieldError[] {
  const [at, failuresAt] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const check = (name: string, place: string): FieldError[] => invalidAll(place, name, labelKeyProblems(name));
  const errors = [
    ...validateSet(bindingConditions, at, { max: maxConditions }, check),
    ...validateSet(bindingFailureConditions, failuresAt, { max: maxConditions }, check),
    ...bindingConditions.flatMap((name, index) =>
      bindingConditions.indexOf(name) < index ? [fieldError.duplicate(`${at}[${index}]`, name)] : [],
    ),
  ];
  for (const [index, name] of bindingFailureConditions.entries()) {
    const place = `${failuresAt}[${index}]`;
    if (bindingFailureConditions.indexOf(name) < index) errors.push(fieldError.duplicate(place, name));
    if (bindingConditions.includes(name))
      errors.push(fieldError.invalid(place, name, 'bindingFailureConditions must not overlap with bindingConditions'));
  }
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0)
    errors.push(fieldError.invalid(at, null, 'bindingConditions are required to use bindingFailureConditions'));
  if (bindingFailureConditions.length === 0 && bindingConditions.length > 0)
    errors.push(fieldError.invalid(failuresAt, null, 'bindingFailureConditions are required to use bindingConditions'));
  return errors;
}
