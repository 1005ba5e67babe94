import type * as resource from '#kinds/generated/types/resource_v1.ts';
import type { DeviceTaintRule } from '#kinds/generated/types/resource_v1beta2.ts';
import { validateDriverName } from '#kinds/storage/validation.ts';
import { each, immutable, invalidAll, oneOf, requiredOneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import {
  byteLength,
  label1123Problems,
  labelKeyProblems,
  labelValueProblems,
  subdomainProblems,
} from '#machinery/names.ts';

/** Limits of resource.k8s.io. */
const maxRequests = 32;
const maxAlternatives = 8;
const maxConstraints = 32;
const maxConfigurations = 32;
const maxSelectors = 32;
const maxExpressionBytes = 10 * 1024;
const maxReservations = 256;
const maxDevices = 128;
const maxDevicesWithExtras = 64;
const maxParameterBytes = 10 * 1024;

type Item = { readonly name?: string };

/** At most `max` items, each once by its key, and each right. */
function validateSet<T>(
  items: readonly T[] | undefined,
  path: string,
  limits: { readonly max: number; readonly key?: (item: T) => string },
  check: (item: T, path: string) => readonly FieldError[],
): FieldError[] {
  const { max, key } = limits;
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, item] of (items ?? []).entries()) {
    const at = `${path}[${index}]`;
    errors.push(...check(item, at));
    const identity = key?.(item);
    if (identity === undefined) continue;
    if (seen.has(identity)) errors.push(fieldError.duplicate(at, identity));
    seen.add(identity);
  }
  const count = items?.length ?? 0;
  return count > max ? [...errors, fieldError.tooMany(path, count, max)] : errors;
}

function validateName(name: string | undefined, path: string): FieldError[] {
  return invalidAll(path, name ?? '', label1123Problems(name ?? ''));
}

export function validateClaimSpec(spec: resource.ResourceClaimSpec | undefined, path: string): FieldError[] {
  const { requests, constraints, config } = spec?.devices ?? {};
  const names = requestNames(requests);
  const at = `${path}.devices`;
  const byName = { max: maxRequests, key: ({ name = '' }: Item) => name };
  return [
    ...validateSet(requests, `${at}.requests`, byName, validateRequest),
    ...validateSet(constraints, `${at}.constraints`, { max: maxConstraints }, (constraint, place) =>
      validateConstraint(constraint, place, names),
    ),
    ...validateSet(config, `${at}.config`, { max: maxConfigurations }, (configuration, place) => [
      ...validateReferences(configuration.requests, `${place}.requests`, names),
      ...validateConfiguration(configuration, place),
    ]),
  ];
}

/** Names that a constraint may use: of requests, and of alternatives behind a slash. */
function requestNames(requests: readonly resource.DeviceRequest[] = []): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((other) => `${name}/${other.name}`),
    ]),
  );
}

function validateRequest(request: resource.DeviceRequest, path: string): FieldError[] {
  const { exactly, firstAvailable = [] } = request;
  const errors = validateName(request.name, `${path}.name`);
  const either = 'exactly one of `exactly` or `firstAvailable` is required';
  if (exactly === undefined && firstAvailable.length === 0) return [...errors, fieldError.required(path, either)];
  if (exactly !== undefined && firstAvailable.length > 0)
    return [...errors, fieldError.invalid(path, null, `${either}, but multiple fields are set`)];
  if (exactly !== undefined) return [...errors, ...validateExact(exactly, `${path}.exactly`)];
  const byName = { max: maxAlternatives, key: ({ name = '' }: Item) => name };
  return [
    ...errors,
    ...validateSet(firstAvailable, `${path}.firstAvailable`, byName, (alternative, at) => [
      ...validateName(alternative.name, `${at}.name`),
      ...validateExact(alternative, at),
    ]),
  ];
}

function validateExact(request: resource.ExactDeviceRequest, path: string): FieldError[] {
  const { deviceClassName = '', selectors, allocationMode, count = 0 } = request;
  const errors =
    deviceClassName === ''
      ? [fieldError.required(`${path}.deviceClassName`)]
      : invalidAll(`${path}.deviceClassName`, deviceClassName, subdomainProblems(deviceClassName));
  errors.push(
    ...validateSet(selectors, `${path}.selectors`, { max: maxSelectors }, validateSelector),
    ...oneOf(allocationMode ?? '', ['All', 'ExactCount'], `${path}.allocationMode`),
  );
  if (allocationMode === 'All' && count !== 0)
    errors.push(fieldError.invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  if (allocationMode === 'ExactCount' && count <= 0)
    errors.push(fieldError.invalid(`${path}.count`, count, 'must be greater than zero'));
  return [...errors, ...each(request.tolerations, `${path}.tolerations`, validateToleration)];
}

function validateToleration(toleration: resource.DeviceToleration, path: string): FieldError[] {
  const { key = '', operator, value = '', effect = '' } = toleration;
  const errors = key === '' ? [] : invalidAll(`${path}.key`, key, labelKeyProblems(key));
  if (operator === 'Exists') {
    if (value !== '') errors.push(fieldError.invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  } else if (operator === 'Equal') errors.push(...invalidAll(`${path}.value`, value, labelValueProblems(value)));
  else errors.push(...requiredOneOf(operator, ['Equal', 'Exists'], `${path}.operator`));
  if (effect === '') return errors;
  return [...errors, ...oneOf(effect, ['NoExecute', 'NoSchedule', 'None'], `${path}.effect`)];
}

export function validateSelectors(
  selectors: readonly resource.DeviceSelector[] | undefined,
  path: string,
): FieldError[] {
  return validateSet(selectors, path, { max: maxSelectors }, validateSelector);
}

function validateSelector({ cel }: resource.DeviceSelector, path: string): FieldError[] {
  if (cel === undefined) return [fieldError.required(`${path}.cel`)];
  if (byteLength(cel.expression ?? '') > maxExpressionBytes)
    return [fieldError.tooLong(`${path}.cel.expression`, maxExpressionBytes)];
  return (cel.expression ?? '') === '' ? [fieldError.required(`${path}.cel.expression`)] : [];
}

const referenceMessage =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

function validateReferences(
  names: readonly string[] | undefined,
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  return validateSet(names, path, { max: maxRequests, key: (name) => name }, (name, at) => {
    const parts = name.split('/');
    if (parts.length > 2) return [fieldError.invalid(at, name, referenceMessage)];
    const errors = parts.flatMap((part) => validateName(part, at));
    return known.has(name) ? errors : [...errors, fieldError.invalid(at, name, referenceMessage)];
  });
}

function validateConstraint(
  constraint: resource.DeviceConstraint,
  path: string,
  names: ReadonlySet<string>,
): FieldError[] {
  const { matchAttribute, distinctAttribute } = constraint;
  const errors = validateReferences(constraint.requests, `${path}.requests`, names);
  if (matchAttribute !== undefined) return [...errors, ...validateAttribute(matchAttribute, `${path}.matchAttribute`)];
  if (distinctAttribute !== undefined)
    return [...errors, ...validateAttribute(distinctAttribute, `${path}.distinctAttribute`)];
  const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...errors, fieldError.required(path, detail)];
}

function validateAttribute(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  if (!name.includes('/'))
    return [fieldError.invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash')];
  return invalidAll(path, name, labelKeyProblems(name));
}

export function validateConfiguration({ opaque }: resource.DeviceClassConfiguration, path: string): FieldError[] {
  if (opaque === undefined) return [fieldError.required(`${path}.opaque`)];
  const { driver, parameters } = opaque;
  const errors = validateDriverName(driver, `${path}.opaque.driver`);
  const at = `${path}.opaque.parameters`;
  if (parameters === undefined) return [...errors, fieldError.required(at)];
  if (byteLength(JSON.stringify(parameters)) > maxParameterBytes)
    errors.push(fieldError.tooLong(at, maxParameterBytes));
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters))
    errors.push(fieldError.invalid(at, '<value omitted>', 'must be a valid JSON object'));
  return errors;
}

export function validateDeviceClass({ spec }: resource.DeviceClass): FieldError[] {
  const { selectors, config, extendedResourceName: name } = spec ?? {};
  const errors = [
    ...validateSelectors(selectors, 'spec.selectors'),
    ...validateSet(config, 'spec.config', { max: maxConfigurations }, validateConfiguration),
  ];
  const isExtended =
    name === undefined ||
    (name.includes('/') && !name.includes('kubernetes.io/') && labelKeyProblems(`requests.${name}`).length === 0);
  if (!isExtended)
    errors.push(fieldError.invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'));
  return errors;
}

export function validateClaimStatusUpdate(claim: resource.ResourceClaim, old: resource.ResourceClaim): FieldError[] {
  const { reservedFor = [], allocation } = claim.status ?? {};
  const path = 'status.reservedFor';
  const errors = validateSet(reservedFor, path, { max: maxReservations, key: ({ uid }) => uid }, (consumer, at) => [
    ...((consumer.resource ?? '') === '' ? [fieldError.required(`${at}.resource`)] : []),
    ...((consumer.name ?? '') === '' ? [fieldError.required(`${at}.name`)] : []),
    ...((consumer.uid ?? '') === '' ? [fieldError.required(`${at}.uid`)] : []),
  ]);
  if (reservedFor.length > 0 && allocation === undefined)
    errors.push(fieldError.forbidden(path, 'may not be specified when `allocated` is not set'));
  const before = new Set(old.status?.reservedFor?.map(({ uid }) => uid));
  const isDeleted = claim.metadata.deletionTimestamp !== undefined;
  if (allocation !== undefined && isDeleted && reservedFor.some(({ uid }) => !before.has(uid))) {
    const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    errors.push(fieldError.forbidden(path, detail));
  }
  if (allocation === undefined || old.status?.allocation === undefined) return errors;
  return [...errors, ...immutable(allocation, old.status.allocation, 'status.allocation')];
}

export function validateSlice({ spec }: resource.ResourceSlice): FieldError[] {
  const { driver, pool, devices, sharedCounters } = spec;
  const errors = validateDriverName(driver, 'spec.driver');
  const count = pool?.resourceSliceCount ?? 0;
  const poolName = pool?.name ?? '';
  if (poolName === '') errors.push(fieldError.required('spec.pool.name'));
  else
    errors.push(...poolName.split('/').flatMap((part) => invalidAll('spec.pool.name', part, subdomainProblems(part))));
  if (count <= 0) errors.push(fieldError.invalid('spec.pool.resourceSliceCount', count, 'must be greater than zero'));
  if ((pool?.generation ?? 0) < 0)
    errors.push(fieldError.invalid('spec.pool.generation', pool!.generation, 'must be greater than or equal to zero'));
  errors.push(...validatePlace(spec));
  if (sharedCounters !== undefined && devices !== undefined)
    errors.push(fieldError.invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  const hasExtras = devices?.some(({ taints, consumesCounters }) => (taints ?? consumesCounters ?? []).length > 0);
  const limits = { max: hasExtras === true ? maxDevicesWithExtras : maxDevices, key: ({ name = '' }: Item) => name };
  return [
    ...errors,
    ...validateSet(devices, 'spec.devices', limits, ({ name }, path) => validateName(name, `${path}.name`)),
  ];
}

export function validateSliceUpdate(
  { spec }: resource.ResourceSlice,
  { spec: old }: resource.ResourceSlice,
): FieldError[] {
  return [
    ...immutable(spec.pool?.name, old.pool?.name, 'spec.pool.name'),
    ...immutable(spec.driver, old.driver, 'spec.driver'),
    ...immutable(spec.nodeName, old.nodeName, 'spec.nodeName'),
  ];
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
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const detail = 'must have exactly one node selector term';
      errors.push(fieldError.invalid('spec.nodeSelector.nodeSelectorTerms', terms, detail));
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

export function validateTemplateMetadata(template: resource.ResourceClaimTemplate): FieldError[] {
  const { labels = {} } = template.spec?.metadata ?? {};
  return each(Object.keys(labels), 'spec.metadata.labels', (key) =>
    invalidAll('spec.metadata.labels', key, labelKeyProblems(key)),
  );
}

export function validateTaintRule({ spec }: DeviceTaintRule): FieldError[] {
  const { deviceSelector, taint } = spec;
  const { driver, pool, device } = deviceSelector ?? {};
  const { key = '', value = '', effect = '' } = taint ?? {};
  const effects = ['NoExecute', 'NoSchedule', 'None'];
  return [
    ...(driver === undefined ? [] : validateDriverName(driver, 'spec.deviceSelector.driver')),
    ...(pool === undefined
      ? []
      : pool.split('/').flatMap((part) => invalidAll('spec.deviceSelector.pool', part, subdomainProblems(part)))),
    ...(device === undefined ? [] : invalidAll('spec.deviceSelector.device', device, label1123Problems(device))),
    ...invalidAll('spec.taint.key', key, labelKeyProblems(key)),
    ...(value === '' ? [] : invalidAll('spec.taint.value', value, labelValueProblems(value))),
    ...(effect === '' ? [fieldError.required('spec.taint.effect')] : oneOf(effect, effects, 'spec.taint.effect')),
  ];
}
