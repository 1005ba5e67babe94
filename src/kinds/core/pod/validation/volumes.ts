import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { quantity } from '#machinery/quantity.ts';
import { validateFieldSelector, validateResourceSelector } from './selectors.ts';

const modeMessage = 'must be a number between 0 and 0777 (octal), both inclusive';
const minimumTokenSeconds = 600;
const maximumTokenSeconds = 2 ** 32;
const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** Volumes that passed, by name: mounts may only speak of these. */
export type KnownVolumes = ReadonlyMap<string, core.Volume>;

export function validateVolumes(
  volumes: readonly core.Volume[] | undefined,
  path: string,
): { readonly known: KnownVolumes; readonly errors: readonly FieldError[] } {
  const known = new Map<string, core.Volume>();
  const errors = each(volumes, path, (volume, at) => {
    const { name = '' } = volume;
    const found = validateSource(volume, at);
    if (name === '') found.push(fieldError.required(`${at}.name`));
    else found.push(...invalidAll(`${at}.name`, name, label1123Problems(name)));
    if (known.has(name)) found.push(fieldError.duplicate(`${at}.name`, name));
    if (found.length === 0) known.set(name, volume);
    return found;
  });
  return { known, errors };
}

function validateSource(volume: core.Volume, path: string): FieldError[] {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  const errors: FieldError[] = [];
  if (sources.length === 0) errors.push(fieldError.required(path, 'must specify a volume type'));
  for (const source of sources.slice(1)) {
    errors.push(fieldError.forbidden(`${path}.${source}`, 'may not specify more than 1 volume type'));
  }
  const { emptyDir, hostPath, secret, configMap, persistentVolumeClaim, downwardAPI, projected, nfs, csi } = volume;
  if (emptyDir?.sizeLimit !== undefined && quantity(emptyDir.sizeLimit).nanos < 0n) {
    errors.push(
      fieldError.forbidden(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'),
    );
  }
  if (hostPath !== undefined) errors.push(...validateHostPath(hostPath, `${path}.hostPath`));
  if (secret !== undefined) {
    if ((secret.secretName ?? '') === '') errors.push(fieldError.required(`${path}.secret.secretName`));
    errors.push(...validateFiles(secret, `${path}.secret`));
  }
  if (configMap !== undefined) {
    if ((configMap.name ?? '') === '') errors.push(fieldError.required(`${path}.configMap.name`));
    errors.push(...validateFiles(configMap, `${path}.configMap`));
  }
  if (persistentVolumeClaim !== undefined && (persistentVolumeClaim.claimName ?? '') === '') {
    errors.push(fieldError.required(`${path}.persistentVolumeClaim.claimName`));
  }
  if (downwardAPI !== undefined) {
    errors.push(...validateMode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`));
    errors.push(
      ...each(downwardAPI.items, `${path}.downwardAPI`, (item) => validateDownwardFile(item, `${path}.downwardAPI`)),
    );
  }
  if (projected !== undefined) errors.push(...validateProjected(projected, `${path}.projected`));
  if (nfs !== undefined) errors.push(...validateNfs(nfs, `${path}.nfs`));
  if (csi !== undefined && (csi.driver ?? '') === '') errors.push(fieldError.required(`${path}.csi.driver`));
  if (volume.image !== undefined && (volume.image.reference ?? '') === '') {
    errors.push(fieldError.required(`${path}.image.reference`));
  }
  if (volume.ephemeral !== undefined && volume.ephemeral.volumeClaimTemplate === undefined) {
    errors.push(fieldError.required(`${path}.ephemeral.volumeClaimTemplate`));
  }
  return errors;
}

export function validateNfs({ server = '', path: folder = '' }: core.NFSVolumeSource, path: string): FieldError[] {
  const errors = server === '' ? [fieldError.required(`${path}.server`)] : [];
  if (folder === '') return [...errors, fieldError.required(`${path}.path`)];
  if (folder.startsWith('/')) return errors;
  return [...errors, fieldError.invalid(`${path}.path`, folder, 'must be an absolute path')];
}

export function validateHostPath({ path: hostPath = '', type }: core.HostPathVolumeSource, path: string): FieldError[] {
  if (hostPath === '') return [fieldError.required(`${path}.path`)];
  return [...noBacksteps(hostPath, `${path}.path`), ...oneOf(type, hostPathTypes, `${path}.type`)];
}

function validateMode(mode: number | undefined, path: string): FieldError[] {
  return mode !== undefined && (mode < 0 || mode > 0o777) ? [fieldError.invalid(path, mode, modeMessage)] : [];
}

function validateFiles(
  source: { readonly items?: readonly core.KeyToPath[]; readonly defaultMode?: number },
  path: string,
): FieldError[] {
  return [
    ...validateMode(source.defaultMode, `${path}.defaultMode`),
    ...each(source.items, `${path}.items`, ({ key = '', path: file = '', mode }, at) => {
      const errors = key === '' ? [fieldError.required(`${at}.key`)] : [];
      if (file === '') errors.push(fieldError.required(`${at}.path`));
      return [...errors, ...localPath(file, `${at}.path`), ...validateMode(mode, `${at}.mode`)];
    }),
  ];
}

function validateDownwardFile(file: core.DownwardAPIVolumeFile, path: string): FieldError[] {
  const errors = (file.path ?? '') === '' ? [fieldError.required(`${path}.path`)] : [];
  errors.push(...localPath(file.path ?? '', `${path}.path`));
  if (file.fieldRef !== undefined) {
    errors.push(...validateFieldSelector(file.fieldRef, `${path}.fieldRef`, 'volume'));
    if (file.resourceFieldRef !== undefined) {
      const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
      errors.push(fieldError.invalid(path, 'resource', detail));
    }
  } else if (file.resourceFieldRef !== undefined) {
    errors.push(...validateResourceSelector(file.resourceFieldRef, `${path}.resourceFieldRef`, 'volume'));
  } else {
    errors.push(fieldError.required(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  return [...errors, ...validateMode(file.mode, `${path}.mode`)];
}

function validateProjected(projected: core.ProjectedVolumeSource, path: string): FieldError[] {
  return [
    ...validateMode(projected.defaultMode, `${path}.defaultMode`),
    ...each(projected.sources, `${path}.sources`, validateProjection),
  ];
}

function validateProjection(source: core.VolumeProjection, path: string): FieldError[] {
  const errors =
    Object.keys(source).length > 1
      ? [fieldError.forbidden(path, 'may not specify more than 1 volume type per source')]
      : [];
  const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle } = source;
  if (secret !== undefined) {
    if ((secret.name ?? '') === '') errors.push(fieldError.required(`${path}.secret.name`));
    errors.push(...validateFiles(secret, `${path}.secret`));
  }
  if (configMap !== undefined) {
    if ((configMap.name ?? '') === '') errors.push(fieldError.required(`${path}.configMap.name`));
    errors.push(...validateFiles(configMap, `${path}.configMap`));
  }
  for (const item of downwardAPI?.items ?? []) errors.push(...validateDownwardFile(item, `${path}.downwardAPI`));
  if (token !== undefined) {
    const seconds = token.expirationSeconds ?? 0;
    const at = `${path}.serviceAccountToken`;
    if (seconds < minimumTokenSeconds) {
      errors.push(
        fieldError.invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'),
      );
    } else if (seconds > maximumTokenSeconds) {
      errors.push(
        fieldError.invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'),
      );
    }
    if ((token.path ?? '') === '') errors.push(fieldError.required(`${path}.path`));
    else errors.push(...localPath(token.path, `${path}.path`));
  }
  if (bundle !== undefined) {
    errors.push(...validateLabelSelector(bundle.labelSelector, `${path}.clusterTrustBundle.labelSelector`));
    if ((bundle.path ?? '') === '') errors.push(fieldError.required(`${path}.clusterTrustBundle.path`));
    if (bundle.name !== undefined) {
      errors.push(...invalidAll(`${path}.clusterTrustBundle.name`, bundle.name, subdomainProblems(bundle.name)));
    }
  }
  return errors;
}

export function noBacksteps(target: string, path: string): FieldError[] {
  return target.split('/').includes('..') ? [fieldError.invalid(path, target, "must not contain '..'")] : [];
}

/** A path that stays below the volume's own directory. */
export function descendingPath(target: string, path: string): FieldError[] {
  const absolute = target.startsWith('/') ? [fieldError.invalid(path, target, 'must be a relative path')] : [];
  return [...absolute, ...noBacksteps(target, path)];
}

/** The same, and not one of the names that the kubelet keeps for itself. */
function localPath(target: string, path: string): FieldError[] {
  const errors = descendingPath(target, path);
  const isReserved = target.startsWith('..') && !target.startsWith('../');
  if (isReserved) errors.push(fieldError.invalid(path, target, "must not start with '..'"));
  return errors;
}
