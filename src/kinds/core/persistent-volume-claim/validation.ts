import type * as core from '#kinds/generated/types/core_v1.ts';
import { goDiff } from '#kinds/go-struct.ts';
import { immutable, invalidAll, oneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, labelKeyProblems, subdomainProblems } from '#machinery/names.ts';
import { compareQuantities, quantity } from '#machinery/quantity.ts';

type ClaimSpec = core.PersistentVolumeClaimSpec;

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors = modes.flatMap((mode) => oneOf(mode, accessModes, path));
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others) {
    errors.push(fieldError.forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

export function validateClaimSpec(spec: ClaimSpec, path: string): FieldError[] {
  const { accessModes: modes = [], storageClassName = '', volumeAttributesClassName: attributes = '' } = spec;
  const errors: FieldError[] = [];
  if (modes.length === 0) {
    errors.push(fieldError.required(`${path}.accessModes`, 'at least 1 access mode is required'));
  }
  errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  errors.push(...validateAccessModes(modes, `${path}.accessModes`));
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined) errors.push(fieldError.required(`${path}.resources[storage]`));
  else if (quantity(storage).nanos <= 0n) {
    errors.push(fieldError.invalid(`${path}.resources[storage]`, storage, 'must be greater than zero'));
  }
  if (storageClassName !== '') {
    errors.push(...invalidAll(`${path}.storageClassName`, storageClassName, subdomainProblems(storageClassName)));
  }
  errors.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], `${path}.volumeMode`));
  errors.push(...validateSources(spec, path));
  if (attributes !== '') {
    errors.push(...invalidAll(`${path}.volumeAttributesClassName`, attributes, subdomainProblems(attributes)));
  }
  return errors;
}

/** What the volume is filled from: two fields that have to agree. */
function validateSources({ dataSource, dataSourceRef }: ClaimSpec, path: string): FieldError[] {
  const errors = [
    ...(dataSource === undefined ? [] : validateSource(dataSource, `${path}.dataSource`)),
    ...(dataSourceRef === undefined ? [] : validateSource(dataSourceRef, `${path}.dataSourceRef`)),
  ];
  if (dataSource === undefined || dataSourceRef === undefined) return errors;
  const { namespace = '', ...local } = dataSourceRef;
  // Upstream shows its own notion of the path here, which has no fields to show.
  if (namespace !== '') {
    const detail = 'may not be specified when dataSourceRef.namespace is specified';
    return [...errors, fieldError.invalid(path, {}, detail)];
  }
  return equalValues(dataSource, local)
    ? errors
    : [...errors, fieldError.invalid(path, {}, 'must match dataSourceRef')];
}

function validateSource(source: core.TypedObjectReference, path: string): FieldError[] {
  const { name = '', kind = '', apiGroup = '', namespace = '' } = source;
  const errors = name === '' ? [fieldError.required(`${path}.name`)] : [];
  if (kind === '') errors.push(fieldError.required(`${path}.kind`));
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(fieldError.invalid(path, kind, detail));
  }
  if (apiGroup !== '') errors.push(...invalidAll(`${path}.apiGroup`, apiGroup, subdomainProblems(apiGroup)));
  if (namespace !== '') errors.push(...invalidAll(`${path}.namespace`, namespace, label1123Problems(namespace)));
  return errors;
}

export function validateClaim(claim: core.PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(claim.spec ?? {}, 'spec');
}

/** A claim keeps what it asked for; only a bound one may ask for more room or another attributes class. */
export function validateClaimUpdate(claim: core.PersistentVolumeClaim, old: core.PersistentVolumeClaim): FieldError[] {
  const [after, before] = [claim.spec ?? {}, old.spec ?? {}];
  const errors: FieldError[] = [];
  const named = (before.volumeName ?? '') === '' ? { ...before, volumeName: after.volumeName } : before;
  const fixed = withFixedFieldsOf(after, before, claim.status?.phase === 'Bound');
  if (!equalValues(fixed, named)) {
    const difference = goDiff('core.PersistentVolumeClaimSpec', named, fixed);
    const detail = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${difference}`;
    errors.push(fieldError.forbidden('spec', detail));
  }
  const size = quantity(after.resources?.requests?.['storage']);
  const isSmaller = compareQuantities(size, quantity(before.resources?.requests?.['storage'])) < 0;
  if (isSmaller && compareQuantities(size, quantity(old.status?.capacity?.['storage'])) <= 0) {
    const detail = 'field can not be less than status.capacity';
    errors.push(fieldError.forbidden('spec.resources.requests.storage', detail));
  }
  return [...errors, ...immutable(after.volumeMode, before.volumeMode, 'volumeMode')];
}

/** The new specification with the old one's values wherever a change is allowed. */
function withFixedFieldsOf(spec: ClaimSpec, old: ClaimSpec, isBound: boolean): object {
  const { storage: _, ...requests } = spec.resources?.requests ?? {};
  const storage = old.resources?.requests?.['storage'];
  const resources = { ...spec.resources, requests: storage === undefined ? requests : { ...requests, storage } };
  return {
    ...spec,
    ...(old.storageClassName === undefined ? { storageClassName: undefined } : {}),
    ...(isBound ? { resources, volumeAttributesClassName: old.volumeAttributesClassName } : {}),
  };
}

const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
];

/** What controllers and nodes report of a claim. */
export function validateClaimStatus({ status }: core.PersistentVolumeClaim): FieldError[] {
  const { capacity = {}, allocatedResourceStatuses: states = {}, allocatedResources = {} } = status ?? {};
  const statesPath = 'status.allocatedResourceStatuses';
  const allocatedPath = 'status.allocatedResources';
  return [
    ...Object.entries(capacity).flatMap(([name, amount]) => validateAmount(amount, `status.capacity[${name}]`)),
    ...Object.entries(states).flatMap(([name, state]) => [
      ...validateResourceKey(name, statesPath),
      ...(resizeStates.includes(state) ? [] : [fieldError.notSupported(statesPath, name, resizeStates)]),
    ]),
    ...Object.entries(allocatedResources).flatMap(([name, amount]) => {
      const errors = validateResourceKey(name, allocatedPath);
      return errors.length > 0 ? errors : validateAmount(amount, `${allocatedPath}[${name}]`);
    }),
  ];
}

/** Among the resources that Kubernetes itself names, a claim has only storage. */
function validateResourceKey(name: string, path: string): FieldError[] {
  const errors = invalidAll(path, name, labelKeyProblems(name));
  const isNative = !name.includes('/') || name.includes('kubernetes.io/');
  if (errors.length > 0 || !isNative || name === 'storage') return errors;
  return [fieldError.notSupported(path, name, ['storage'])];
}

/** Upstream shows the amount in whole units here. */
export function validateAmount(amount: string, path: string): FieldError[] {
  const { nanos } = quantity(amount);
  if (nanos >= 0n) return [];
  const units = nanos / 1_000_000_000n;
  return units === 0n ? [] : [fieldError.invalid(path, units, 'must be a valid resource quantity')];
}
