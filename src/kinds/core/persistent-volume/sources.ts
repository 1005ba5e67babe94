import { noBacksteps, validateHostPath, validateNfs } from '#kinds/core/pod/validation/volumes.ts';
import type {
  CSIPersistentVolumeSource,
  GlusterfsPersistentVolumeSource,
  ISCSIPersistentVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
} from '#kinds/generated/types/core_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { validateSharedSource } from '../volume-sources.ts';

const maximumTarget = 64;

const secretFields = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

/** In the order in which upstream looks at them: the first one counts. */
export const sourceOrder = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;

/**
 * What is wrong with one of the sources that a volume may have.
 * @param name the volume's
 */
export function validateVolumeSource(
  spec: PersistentVolumeSpec,
  source: (typeof sourceOrder)[number],
  at: string,
  name: string,
): FieldError[] {
  const path = `${at}.${source}`;
  switch (source) {
    case 'hostPath':
      return validateHostPath(spec.hostPath!, path);
    case 'nfs':
      return validateNfs(spec.nfs!, path);
    case 'local': {
      const { path: folder = '' } = spec.local!;
      return folder === '' ? [fieldError.required(`${path}.path`)] : noBacksteps(folder, `${path}.path`);
    }
    case 'iscsi':
      return validateIscsiVolume(spec.iscsi!, name, path);
    case 'csi':
      return validateCsi(spec.csi!, path);
    case 'glusterfs':
      return [
        ...validateSharedSource(source, spec.glusterfs!, at),
        ...validateEndpointsNamespace(spec.glusterfs!, path),
      ];
    case 'azureFile':
      return [
        ...validateSharedSource(source, spec.azureFile!, at),
        ...(spec.azureFile!.secretNamespace === '' ? [fieldError.required(`${path}.secretNamespace`)] : []),
      ];
    case 'cinder':
    case 'storageos': {
      const { secretRef } = spec[source]!;
      const isNamed = secretRef === undefined || (secretRef.namespace ?? '') !== '';
      return [
        ...validateSharedSource(source, spec[source]!, at),
        ...(isNamed ? [] : [fieldError.required(`${path}.secretRef.namespace`)]),
      ];
    }
    default:
      return validateSharedSource(source, spec[source]!, at);
  }
}

/** For a whole volume upstream asks for more than for one that stands in a pod, and in other words. */
function validateIscsiVolume(source: ISCSIPersistentVolumeSource, name: string, path: string): FieldError[] {
  const { targetPortal = '', initiatorName, secretRef } = source;
  const errors = validateSharedSource('iscsi', source, path.slice(0, path.lastIndexOf('.'))).map((error) => ({
    ...error,
    message: error.message.replace(' starting with iqn, eui, or naa', ''),
  }));
  const initiator = `${path}.initiatorname`;
  if (secretRef !== undefined && (secretRef.name ?? '') === '') {
    const at = errors.findIndex((error) => error.path === initiator);
    errors.splice(at < 0 ? errors.length : at, 0, fieldError.required(`${path}.secretRef.name`));
  }
  if (initiatorName === undefined || byteLength(`${name}:${targetPortal}`) <= maximumTarget) return errors;
  const detail = `Total length of <volume name>:<iscsi.targetPortal> must be under ${maximumTarget} characters if iscsi.initiatorName is specified.`;
  errors.splice(targetPortal === '' ? 1 : 0, 0, fieldError.invalid(`${path}.targetportal`, targetPortal, detail));
  return errors;
}

function validateEndpointsNamespace(
  { endpointsNamespace: namespace }: GlusterfsPersistentVolumeSource,
  path: string,
): FieldError[] {
  if (namespace === undefined) return [];
  const at = `${path}.endpointsNamespace`;
  const detail = 'if the endpointnamespace is set, it must be a valid namespace name';
  if (namespace === '') return [fieldError.invalid(at, namespace, detail)];
  return invalidAll(at, namespace, label1123Problems(namespace));
}

function validateCsi(csi: CSIPersistentVolumeSource, path: string): FieldError[] {
  const errors = validateDriverName(csi.driver, `${path}.driver`);
  if ((csi.volumeHandle ?? '') === '') errors.push(fieldError.required(`${path}.volumeHandle`));
  return [
    ...errors,
    ...secretFields.flatMap((field) => {
      const reference = csi[field];
      return reference === undefined ? [] : validateSecret(reference, `${path}.${field}`);
    }),
  ];
}

function validateSecret({ name = '', namespace = '' }: SecretReference, path: string): FieldError[] {
  return [
    ...(name === ''
      ? [fieldError.required(`${path}.name`)]
      : invalidAll(`${path}.name`, name, subdomainProblems(name))),
    ...(namespace === ''
      ? [fieldError.required(`${path}.namespace`)]
      : invalidAll(`${path}.namespace`, namespace, label1123Problems(namespace))),
  ];
}
