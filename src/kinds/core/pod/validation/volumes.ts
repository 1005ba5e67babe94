import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { quantity } from '#machinery/quantity.ts';
import { validateClaimSpec } from '../../persistent-volume-claim/validation.ts';
import { oneTooMany, validateSharedSource } from '../../volume-sources.ts';
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

/** In the order in which upstream looks at them: the first one counts, whatever the order in the object. */
const sourceOrder = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const;
const misspelt = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

function validateSource(volume: core.Volume, path: string): FieldError[] {
  const [first, ...others] = sourceOrder.filter((source) => volume[source] !== undefined);
  if (first === undefined) return [fieldError.required(path, 'must specify a volume type')];
  const tooLong = validateTarget(volume, path);
  return [
    ...validateOne(first, volume, path),
    ...(first === 'iscsi' ? tooLong : []),
    ...others.flatMap((source) => [oneTooMany(source, path, misspelt), ...(source === 'iscsi' ? tooLong : [])]),
  ];
}

const maximumTarget = 64;

/** The volume's name becomes part of an interface's, where the initiator has a name of its own. */
function validateTarget({ name = '', iscsi }: core.Volume, path: string): FieldError[] {
  if (iscsi?.initiatorName === undefined || byteLength(`${name}:${iscsi.targetPortal ?? ''}`) <= maximumTarget)
    return [];
  const detail = `Total length of <volume name>:<iscsi.targetPortal> must be under ${maximumTarget} characters if iscsi.initiatorName is specified.`;
  return [fieldError.invalid(`${path}.name`, name, detail)];
}

function validateOne(source: (typeof sourceOrder)[number], volume: core.Volume, path: string): FieldError[] {
  const at = `${path}.${source}`;
  const needed = (value: string | undefined, field: string): FieldError[] =>
    (value ?? '') === '' ? [fieldError.required(`${at}.${field}`)] : [];
  switch (source) {
    case 'emptyDir': {
      const { sizeLimit } = volume.emptyDir!;
      const isNegative = sizeLimit !== undefined && quantity(sizeLimit).nanos < 0n;
      const detail = 'SizeLimit field must be a valid resource quantity';
      return isNegative ? [fieldError.forbidden(`${at}.sizeLimit`, detail)] : [];
    }
    case 'hostPath':
      return validateHostPath(volume.hostPath!, at);
    case 'gitRepo':
      return [
        ...needed(volume.gitRepo!.repository, 'repository'),
        ...descendingPath(volume.gitRepo!.directory ?? '', `${at}.directory`),
      ];
    case 'secret':
      return [...needed(volume.secret!.secretName, 'secretName'), ...validateFiles(volume.secret!, at)];
    case 'configMap':
      return [...needed(volume.configMap!.name, 'name'), ...validateFiles(volume.configMap!, at)];
    case 'persistentVolumeClaim':
      return needed(volume.persistentVolumeClaim!.claimName, 'claimName');
    case 'downwardAPI':
      return [
        ...validateMode(volume.downwardAPI!.defaultMode, `${at}.defaultMode`),
        ...(volume.downwardAPI!.items ?? []).flatMap((item) => validateDownwardFile(item, at)),
      ];
    case 'projected':
      return validateProjected(volume.projected!, at);
    case 'nfs':
      return validateNfs(volume.nfs!, at);
    case 'csi':
      return validateCsi(volume.csi!, at);
    case 'image': {
      const { pullPolicy } = volume.image!;
      return oneOf(pullPolicy, ['Always', 'IfNotPresent', 'Never'], `${at}.pullPolicy`);
    }
    case 'ephemeral':
      return volume.ephemeral!.volumeClaimTemplate === undefined
        ? [fieldError.required(`${at}.volumeClaimTemplate`)]
        : validateClaimSpec(volume.ephemeral!.volumeClaimTemplate.spec ?? {}, `${at}.volumeClaimTemplate.spec`);
    default:
      return validateSharedSource(source, volume[source]!, path);
  }
}

function validateCsi({ driver, nodePublishSecretRef: secret }: core.CSIVolumeSource, path: string): FieldError[] {
  const errors = validateDriverName(driver, `${path}.driver`);
  if (secret === undefined) return errors;
  const { name = '' } = secret;
  if (name === '') return [...errors, fieldError.required(`${path}.nodePublishSecretRef.name`)];
  return [...errors, ...invalidAll(`${path}.name`, name, subdomainProblems(name))];
}

export function validateNfs({ server = '', path: folder = '' }: core.NFSVolumeSource, path: string): FieldError[] {
  const errors = server === '' ? [fieldError.required(`${path}.server`)] : [];
  if (folder === '') errors.push(fieldError.required(`${path}.path`));
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
