import { validateNodeSelector } from '#kinds/core/pod/validation/scheduling.ts';
import type * as resource from '#kinds/generated/types/resource_v1.ts';
import type { DeviceTaintRule } from '#kinds/generated/types/resource_v1beta2.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { validateDriverName } from '#kinds/storage/validation.ts';
import { each, immutable, invalidAll, oneOf, requiredOneOf, validateLabels } from '#kinds/validation/common.ts';
import { validateAnnotations } from '#kinds/validation/object-meta.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import {
  byteLength,
  label1123Problems,
  labelKeyProblems,
  labelValueProblems,
  subdomainProblems,
} from '#machinery/names.ts';
import { taintEffects, validateCounters, validateDevice, validateTaint } from './device.ts';
import { validateFullyQualifiedName, validatePoolName } from './names.ts';
import { type Item, validateName, validateSet } from './sets.ts';

/** Limits of resource.k8s.io. */
const maxRequests = 32;
const maxAlternatives = 8;
const maxConstraints = 32;
const maxConfigurations = 32;
const maxSelectors = 32;
const maxExpressionBytes = 10 * 1024;
const maxReservations = 256;
const maxDevices = 128;
const maxCounterSets = 8;
const maxDevicesWithExtras = 64;
const maxParameterBytes = 10 * 1024;

const byName = ({ name = '' }: Item): string => name;

/** What is wrong with an expression that selects devices; known where expressions can be compiled. */
export type SelectorCheck = (expression: string, path: string) => FieldError | undefined;

export function validateClaimSpec(
  spec: resource.ResourceClaimSpec | undefined,
  path: string,
  compile: SelectorCheck = () => undefined,
): FieldError[] {
  const { requests, constraints, config } = spec?.devices ?? {};
  const names = requestNames(requests);
  const at = `${path}.devices`;
  const limits = { max: maxRequests, key: byName };
  return [
    ...validateSet(requests, `${at}.requests`, limits, (request, place) => validateRequest(request, place, compile)),
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

function validateRequest(request: resource.DeviceRequest, path: string, compile: SelectorCheck): FieldError[] {
  const { exactly, firstAvailable = [] } = request;
  const errors = validateName(request.name, `${path}.name`);
  const either = 'exactly one of `exactly` or `firstAvailable` is required';
  if (exactly === undefined && firstAvailable.length === 0) return [...errors, fieldError.required(path, either)];
  if (exactly !== undefined && firstAvailable.length > 0)
    return [...errors, fieldError.invalid(path, null, `${either}, but multiple fields are set`)];
  if (exactly !== undefined) return [...errors, ...validateExact(exactly, `${path}.exactly`, compile)];
  const limits = { max: maxAlternatives, key: byName };
  return [
    ...errors,
    ...validateSet(firstAvailable, `${path}.firstAvailable`, limits, (alternative, at) => [
      ...validateName(alternative.name, `${at}.name`),
      ...validateExact(alternative, at, compile),
    ]),
  ];
}

function validateExact(request: resource.ExactDeviceRequest, path: string, compile: SelectorCheck): FieldError[] {
  const { deviceClassName = '', selectors, allocationMode, count = 0 } = request;
  const errors =
    deviceClassName === ''
      ? [fieldError.required(`${path}.deviceClassName`)]
      : invalidAll(`${path}.deviceClassName`, deviceClassName, subdomainProblems(deviceClassName));
  errors.push(
    ...validateSelectors(selectors, `${path}.selectors`, compile),
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
  return [...errors, ...oneOf(effect, taintEffects, `${path}.effect`)];
}

export function validateSelectors(
  selectors: readonly resource.DeviceSelector[] | undefined,
  path: string,
  compile: SelectorCheck,
): FieldError[] {
  return validateSet(selectors, path, { max: maxSelectors }, ({ cel }, place) => {
    if (cel === undefined) return [fieldError.required(`${place}.cel`)];
    const at = `${place}.cel.expression`;
    const { expression = '' } = cel;
    if (byteLength(expression) > maxExpressionBytes) return [fieldError.tooLong(at, maxExpressionBytes)];
    const problem = compile(expression, at);
    return problem === undefined ? [] : [problem];
  });
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
  if (matchAttribute !== undefined)
    return [...errors, ...validateFullyQualifiedName(matchAttribute, `${path}.matchAttribute`)];
  if (distinctAttribute !== undefined)
    return [...errors, ...validateFullyQualifiedName(distinctAttribute, `${path}.distinctAttribute`)];
  const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...errors, fieldError.required(path, detail)];
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

export function validateClaimStatusUpdate(claim: resource.ResourceClaim, old: resource.ResourceClaim): FieldError[] {
  const { reservedFor = [], allocation } = claim.status ?? {};
  const path = 'status.reservedFor';
  const errors = validateSet(reservedFor, path, { max: maxReservations, key: ({ uid }) => uid }, (consumer, at) => [
    ...((consumer.resource ?? '') === '' ? [fieldError.required(`${at}.resource`)] : []),
    ...((consumer.name ?? '') === '' ? [fieldError.required(`${at}.name`)] : []),
    ...((consumer.uid ?? '') === '' ? [fieldError.required(`${at}.uid`)] : []),
  ]);
  errors.push(...validateDeviceStatuses(claim.status));
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

/** What drivers say of devices that the claim has got. */
function validateDeviceStatuses({ devices, allocation }: resource.ResourceClaimStatus = {}): FieldError[] {
  const identity = ({
    driver = '',
    pool = '',
    device = '',
    shareID,
  }: Partial<resource.AllocatedDeviceStatus>): string =>
    [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join('/');
  const allocated = new Set(allocation?.devices?.results?.map(identity));
  return validateSet(devices, 'status.devices', { max: Number.POSITIVE_INFINITY, key: identity }, (one, path) => [
    ...validateDriverName(one.driver, `${path}.driver`),
    ...validatePoolName(one.pool ?? '', `${path}.pool`),
    ...validateName(one.device, `${path}.device`),
    ...(one.shareID === undefined ? [] : invalidAll(`${path}.shareID`, one.shareID, uuidProblems(one.shareID))),
    ...(allocated.has(identity(one))
      ? []
      : [fieldError.invalid(path, identity(one), 'must be an allocated device in the claim')]),
  ]);
}

function uuidProblems(text: string): string[] {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return [];
  return text.length === 36
    ? ['error validating uid: invalid UUID format']
    : [`error validating uid: invalid UUID length: ${text.length}`];
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
  if (sharedCounters !== undefined && devices !== undefined)
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
  return [
    ...validateAnnotations(annotations, `${path}.annotations`),
    ...validateLabels(labels, `${path}.labels`),
    ...metadataFields
      .filter((field) => (others[field] ?? '') !== '' && others[field] !== 0)
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
