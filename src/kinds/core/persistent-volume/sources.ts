import { noBacksteps, validateHostPath, validateNfs } from '#kinds/core/pod/validation/volumes.ts';
import type {
  CSIPersistentVolumeSource,
  PersistentVolumeSpec,
  SecretReference,
} from '#kinds/generated/types/core_v1.ts';
import { validateDriverName } from '#kinds/storage/validation.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, subdomainProblems } from '#machinery/names.ts';

const secretFields = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

/** What is wrong with one of the sources that a volume may have. */
export function validateVolumeSource(spec: PersistentVolumeSpec, source: string): FieldError[] {
  const path = `spec.${source}`;
  switch (source) {
    case 'hostPath':
      return validateHostPath(spec.hostPath!, path);
    case 'nfs':
      return validateNfs(spec.nfs!, path);
    case 'local': {
      const { path: folder = '' } = spec.local!;
      return folder === '' ? [fieldError.required(`${path}.path`)] : noBacksteps(folder, `${path}.path`);
    }
    case 'csi':
      return validateCsi(spec.csi!, path);
    default:
      return [];
  }
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
