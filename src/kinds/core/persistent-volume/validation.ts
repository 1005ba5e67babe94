import { validateNodeSelector } from '#kinds/core/pod/validation/scheduling.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import { goDiff } from '#kinds/go-struct.ts';
import { immutable, invalidAll, oneOf } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError, GoMap } from '#machinery/errors.ts';
import { subdomainProblems } from '#machinery/names.ts';
import { quantity } from '#machinery/quantity.ts';
import { emptiedFields } from '#machinery/sent-empty.ts';
import { validateAccessModes, validateAmount } from '../persistent-volume-claim/validation.ts';
import { oneTooMany } from '../volume-sources.ts';
import { sourceOrder, validateVolumeSource } from './sources.ts';

type VolumeSpec = core.PersistentVolumeSpec;

export function validateVolume({ metadata, spec }: core.PersistentVolume): FieldError[] {
  return [
    ...validateModes(spec, 'spec'),
    ...validateCapacity(spec, 'spec.capacity'),
    ...oneOf(spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], 'spec.persistentVolumeReclaimPolicy'),
    ...(spec.nodeAffinity === undefined ? [] : validateAffinity(spec.nodeAffinity, 'spec.nodeAffinity')),
    ...validateSources(spec, 'spec', metadata.name ?? ''),
    ...validateClasses(spec, 'spec'),
  ];
}

/** A volume without an object of its own, as an attachment may describe it (CSI migration). */
export function validateInlineVolume(spec: VolumeSpec, path: string): FieldError[] {
  const where = 'in the context of inline volumes';
  const forbidden = (field: keyof VolumeSpec): FieldError[] =>
    spec[field] === undefined ? [] : [fieldError.forbidden(`${path}.${field}`, `may not be specified ${where}`)];
  const only = (field: 'persistentVolumeReclaimPolicy' | 'volumeMode', value: string, detail: string): FieldError[] =>
    spec[field] === undefined || spec[field] === value ? [] : [fieldError.forbidden(`${path}.${field}`, detail)];
  return [
    ...forbidden('claimRef'),
    ...forbidden('capacity'),
    ...(spec.csi === undefined ? [fieldError.required(`${path}.csi`, `has to be specified ${where}`)] : []),
    ...validateModes(spec, path),
    ...only('persistentVolumeReclaimPolicy', 'Retain', `may only be Retain ${where}`),
    ...forbidden('nodeAffinity'),
    // Where none may be, none is seen.
    ...validateSources({ ...spec, nodeAffinity: undefined }, path, ''),
    ...forbidden('storageClassName'),
    ...only('volumeMode', 'Filesystem', `may not specify volumeMode other than Filesystem ${where}`),
  ];
}

function validateModes({ accessModes = [] }: VolumeSpec, path: string): FieldError[] {
  const at = `${path}.accessModes`;
  return [...(accessModes.length === 0 ? [fieldError.required(at)] : []), ...validateAccessModes(accessModes, at)];
}

function validateCapacity(spec: VolumeSpec, path: string): FieldError[] {
  const { capacity = {} } = spec;
  const shown = spec.capacity ?? emptiedFields(spec)['capacity'];
  const count = Object.keys(capacity).length;
  const errors = count === 0 ? [fieldError.required(path)] : [];
  if (capacity['storage'] === undefined || count > 1) {
    const value = shown === undefined ? null : new GoMap(shown as Readonly<Record<string, unknown>>);
    errors.push(fieldError.notSupported(path, value, ['storage']));
  }
  return [
    ...errors,
    ...Object.entries(capacity).flatMap(([name, amount]) => {
      const at = `${path}[${name}]`;
      const isPositive = quantity(amount).nanos > 0n;
      const detail = 'must be greater than zero';
      return [...validateAmount(amount, at), ...(isPositive ? [] : [fieldError.invalid(at, amount, detail)])];
    }),
  ];
}

function validateAffinity({ required }: core.VolumeNodeAffinity, path: string): FieldError[] {
  const at = `${path}.required`;
  if (required === undefined) return [fieldError.required(at, 'must specify required node constraints')];
  return validateNodeSelector(required, at);
}

function validateSources(spec: VolumeSpec, path: string, name: string): FieldError[] {
  const errors: FieldError[] = [];
  const [first, ...others] = sourceOrder.filter((source) => spec[source] !== undefined);
  if (first === undefined) errors.push(fieldError.required(path, 'must specify a volume type'));
  else errors.push(...validateVolumeSource(spec, first, path, name));
  if (first === 'local' && spec.nodeAffinity === undefined)
    errors.push(fieldError.required(`${path}.nodeAffinity`, 'Local volume requires node affinity'));
  for (const source of others) {
    // Upstream does not ask whether this one is the first.
    if (source === 'flexVolume') errors.push(...validateVolumeSource(spec, source, path, name));
    else errors.push(oneTooMany(source, path, { cephfs: 'cephFS' }));
  }
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(fieldError.forbidden(`${path}.persistentVolumeReclaimPolicy`, detail));
  }
  return errors;
}

function validateClasses(spec: VolumeSpec, path: string): FieldError[] {
  const { storageClassName: storage = '', volumeAttributesClassName: attributes } = spec;
  const errors = [
    ...(storage === '' ? [] : invalidAll(`${path}.storageClassName`, storage, subdomainProblems(storage))),
    ...oneOf(spec.volumeMode, ['Block', 'Filesystem'], `${path}.volumeMode`),
  ];
  if (attributes === undefined) return errors;
  const at = `${path}.volumeAttributesClassName`;
  if (attributes === '') errors.push(fieldError.required(at, 'an empty string is disallowed'));
  else errors.push(...invalidAll(at, attributes, subdomainProblems(attributes)));
  if (spec.csi === undefined)
    errors.push(fieldError.required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName'));
  return errors;
}

export function validateVolumeUpdate(volume: core.PersistentVolume, old: core.PersistentVolume): FieldError[] {
  const sources = ({ spec }: core.PersistentVolume): object =>
    Object.fromEntries(sourceOrder.map((source) => [source, spec[source]]));
  const errors: FieldError[] = [];
  if (!equalValues(sources(volume), sources(old))) {
    const difference = goDiff('core.PersistentVolumeSource', sources(old), sources(volume));
    const detail = `spec.persistentvolumesource is immutable after creation\n${difference}`;
    errors.push(fieldError.forbidden('spec.persistentvolumesource', detail));
  }
  return [...errors, ...immutable(volume.spec.volumeMode, old.spec.volumeMode, 'volumeMode')];
}
