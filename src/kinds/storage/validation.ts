import { validateInlineVolume } from '#kinds/core/persistent-volume/validation.ts';
import type { TopologySelectorTerm } from '#kinds/generated/types/core_v1.ts';
import type * as storage from '#kinds/generated/types/storage_v1.ts';
import {
  each,
  immutable,
  invalidAll,
  negativeMessage,
  nonNegative,
  oneOf,
  oneOfInOrder,
  validateLabelSelector,
} from '#kinds/validation/common.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, labelKeyProblems, subdomainProblems } from '#machinery/names.ts';
import { quantity } from '#machinery/quantity.ts';

const maxNodeIdCharacters = 256;
const maxParameters = 512;
const maxParameterBytes = 256 * 1024;
const maxMessageBytes = 1024;
const maxMetadataBytes = 256 * 1024;

export function validateProvisioner(name: string | undefined, path: string): FieldError[] {
  if (name === undefined || name === '') return [fieldError.required(path)];
  return invalidAll(path, name.toLowerCase(), labelKeyProblems(name.toLowerCase()));
}

type Texts = Readonly<Record<string, string>>;

function bytesOf(texts: Texts): number {
  return Object.entries(texts).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
}

export function validateParameters(parameters: Texts | undefined): FieldError[] {
  const path = 'parameters';
  const entries = Object.entries(parameters ?? {});
  if (entries.length > maxParameters) return [fieldError.tooLong(path, maxParameters)];
  const errors = entries.flatMap(([key]) =>
    key === '' ? [fieldError.invalid(path, key, 'field can not be empty.')] : [],
  );
  if (bytesOf(parameters ?? {}) > maxParameterBytes) errors.push(fieldError.tooLong(path, maxParameterBytes));
  return errors;
}

export function validateTopologies(terms: readonly TopologySelectorTerm[] | undefined, path: string): FieldError[] {
  // Upstream compares with as many empty terms as there are terms; an empty one is refused that often.
  const seen: unknown[] = (terms ?? []).map(() => ({}));
  return each(terms, path, ({ matchLabelExpressions = [] }, at) => {
    const keys = new Set<string>();
    const errors = each(matchLabelExpressions, `${at}.matchLabelExpressions`, ({ key, values = [] }, place) => {
      const found = values.length === 0 ? [fieldError.required(`${place}.values`)] : [];
      found.push(
        ...each(values, `${place}.values`, (value, spot, index) =>
          values.indexOf(value) < index ? [fieldError.duplicate(spot, value)] : [],
        ),
        ...invalidAll(`${place}.key`, key, labelKeyProblems(key)),
      );
      if (keys.has(key)) found.push(fieldError.duplicate(`${place}.key`, key));
      keys.add(key);
      return found;
    });
    const wanted = Object.fromEntries(
      matchLabelExpressions.map(({ key, values = [] }) => [key, [...new Set(values)].sort()]),
    );
    for (const other of seen)
      if (equalValues(other, wanted)) errors.push(fieldError.duplicate(`${at}.matchLabelExpressions`, ''));
    seen.push(wanted);
    return errors;
  });
}

export function validateCsiDriver({ spec }: storage.CSIDriver): FieldError[] {
  const { nodeAllocatableUpdatePeriodSeconds: period, tokenRequests = [] } = spec;
  const errors = [
    ...oneOf(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy'),
    ...validateTokenRequests(tokenRequests, 'spec.tokenRequests'),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
      oneOfInOrder(mode, ['Persistent', 'Ephemeral'], 'spec.volumeLifecycleModes'),
    ),
  ];
  if (period !== undefined && period < 10) {
    const detail = 'must be greater than or equal to 10 seconds';
    errors.push(fieldError.invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail));
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && tokenRequests.length === 0) {
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(fieldError.invalid('spec.serviceAccountTokenInSecrets', spec.serviceAccountTokenInSecrets, detail));
  }
  return errors;
}

export function validateCsiDriverUpdate({ spec }: storage.CSIDriver, { spec: old }: storage.CSIDriver): FieldError[] {
  return [
    ...immutable(spec.attachRequired, old.attachRequired, 'spec.attachedRequired'),
    ...immutable(spec.volumeLifecycleModes, old.volumeLifecycleModes, 'spec.volumeLifecycleModes'),
  ];
}

function validateTokenRequests(requests: readonly storage.TokenRequest[], path: string): FieldError[] {
  const audiences = new Set<string>();
  return each(requests, path, ({ audience, expirationSeconds: seconds }, at) => {
    if (audiences.has(audience)) return [fieldError.duplicate(`${at}.audience`, audience)];
    audiences.add(audience);
    if (seconds === undefined) return [];
    const detail =
      seconds < 600
        ? 'may not specify a duration less than 10 minutes'
        : seconds > 2 ** 32
          ? 'may not specify a duration larger than 2^32 seconds'
          : undefined;
    return detail === undefined ? [] : [fieldError.invalid(`${at}.expirationSeconds`, seconds, detail)];
  });
}

export function validateCsiNode({ spec }: storage.CSINode): FieldError[] {
  const names = new Set<string>();
  return each(spec.drivers, 'spec.drivers', (driver, path) => {
    const { name, nodeID = '', allocatable, topologyKeys = [] } = driver;
    const errors = validateDriverName(name, `${path}.name`);
    if (nodeID === '') errors.push(fieldError.required(`${path}.nodeID`));
    if (nodeID.length > maxNodeIdCharacters)
      errors.push(fieldError.invalid(`${path}.nodeID`, nodeID, `must be ${maxNodeIdCharacters} characters or less`));
    errors.push(...nonNegative(allocatable?.count, `${path}.allocatable.count`));
    if (names.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
    names.add(name);
    for (const [index, key] of topologyKeys.entries()) {
      if (key === '') errors.push(fieldError.required(path));
      if (topologyKeys.indexOf(key) < index) errors.push(fieldError.duplicate(path, key));
      errors.push(...invalidAll(path, key, labelKeyProblems(key)));
    }
    return errors;
  });
}

/** A driver that is there stays as it is, but for how many volumes it can take. */
export function validateCsiNodeUpdate({ spec }: storage.CSINode, { spec: old }: storage.CSINode): FieldError[] {
  const fixed = ({ allocatable: _, ...rest }: storage.CSINodeDriver): object => rest;
  return (old.drivers ?? []).flatMap((before) => {
    const now = spec.drivers?.find(({ name }) => name === before.name);
    return now === undefined ? [] : immutable(fixed(now), fixed(before), 'spec.drivers', 'storage.CSINodeDriver');
  });
}

export function validateCsiStorageCapacity(capacity: storage.CSIStorageCapacity): FieldError[] {
  const { storageClassName, capacity: amount } = capacity;
  return [
    ...validateLabelSelector(capacity.nodeTopology, 'nodeTopology'),
    ...invalidAll('storageClassName', storageClassName, subdomainProblems(storageClassName)),
    ...(amount !== undefined && quantity(amount).nanos < 0n
      ? [fieldError.invalid('capacity', amount, negativeMessage)]
      : []),
  ];
}

export function validateCsiStorageCapacityUpdate(
  capacity: storage.CSIStorageCapacity,
  old: storage.CSIStorageCapacity,
): FieldError[] {
  const { nodeTopology: topology } = capacity;
  return [
    ...immutable(topology, old.nodeTopology, 'nodeTopology', topology && 'v1.LabelSelector'),
    ...immutable(capacity.storageClassName, old.storageClassName, 'storageClassName'),
  ];
}

export function validateVolumeAttachment({ spec, status }: storage.VolumeAttachment): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {};
  const path = 'spec.source';
  const either = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  const errors = validateDriverName(spec.attacher, 'spec.attacher');
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined)
    errors.push(fieldError.required(path, either));
  else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined)
    errors.push(fieldError.forbidden(path, either));
  else if (inlineVolumeSpec !== undefined)
    errors.push(...validateInlineVolume(inlineVolumeSpec, `${path}.inlineVolumeSpec`));
  else if (persistentVolumeName === '')
    errors.push(fieldError.required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  return [
    ...errors,
    ...invalidAll('spec.nodeName', spec.nodeName, subdomainProblems(spec.nodeName ?? '')),
    ...validateAttachmentStatus(status, 'status'),
    ...(persistentVolumeName === undefined
      ? []
      : invalidAll(`${path}.persistentVolumeName`, persistentVolumeName, subdomainProblems(persistentVolumeName))),
  ];
}

export function validateVolumeAttachmentUpdate(
  { spec }: storage.VolumeAttachment,
  { spec: old }: storage.VolumeAttachment,
): FieldError[] {
  return immutable(spec, old, 'spec', 'storage.VolumeAttachmentSpec');
}

export function validateAttachmentStatus(
  status: storage.VolumeAttachmentStatus | undefined,
  path: string,
): FieldError[] {
  const errors =
    bytesOf(status?.attachmentMetadata ?? {}) > maxMetadataBytes
      ? [fieldError.tooLong(`${path}.attachmentMetadata`, maxMetadataBytes)]
      : [];
  for (const field of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode } = status?.[field] ?? {};
    if (byteLength(message) > maxMessageBytes)
      errors.push(fieldError.tooLong(`${path}.${field}.message`, maxMetadataBytes));
    if (errorCode !== undefined && errorCode < 0) {
      const detail = 'must be between 0 and 2147483647, inclusive';
      errors.push(fieldError.invalid(`${path}.${field}.errorCode`, errorCode, detail));
    }
  }
  return errors;
}

export function validateAttributesClass({ driverName, parameters }: storage.VolumeAttributesClass): FieldError[] {
  const found =
    Object.keys(parameters ?? {}).length > 0
      ? validateParameters(parameters)
      : [fieldError.required('parameters', 'must contain at least one key/value pair')];
  return [...validateProvisioner(driverName, 'driverName'), ...found];
}

export function validateAttributesClassUpdate(
  { driverName, parameters }: storage.VolumeAttributesClass,
  old: storage.VolumeAttributesClass,
): FieldError[] {
  const changed = (field: string): FieldError => fieldError.forbidden(field, `updates to ${field} are forbidden.`);
  return [
    ...(driverName === old.driverName ? [] : [changed('driverName')]),
    ...(equalValues(parameters, old.parameters) ? [] : [changed('parameters')]),
  ];
}
