import { invalidAll, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, rangeMessage } from '#machinery/names.ts';

/**
 * Sources that pods and persistent volumes have in common, most of them served by drivers that are long gone. Checked
 * alike wherever they stand.
 */

/** What a source says, of whatever type it is. */
type Source = Readonly<Record<string, unknown>>;
type Check = (source: Source, path: string) => FieldError[];

const partitionMessage = rangeMessage(1, 255);
const maximumLun = 255;
const maximumPartition = 255;

const textOf = (source: Source, field: string): string => (source[field] as string | undefined) ?? '';
const lengthOf = (source: Source, field: string): number =>
  (source[field] as readonly unknown[] | undefined)?.length ?? 0;

/** Fields that may not be empty, texts or lists. */
function required(...fields: readonly string[]): Check {
  return (source, path) =>
    fields
      .filter((field) => (Array.isArray(source[field]) ? lengthOf(source, field) === 0 : textOf(source, field) === ''))
      .map((field) => fieldError.required(`${path}.${field}`));
}

function withPartition(check: Check): Check {
  return (source, path) => {
    const partition = (source['partition'] as number | undefined) ?? 0;
    const errors = check(source, path);
    if (partition >= 0 && partition <= maximumPartition) return errors;
    return [...errors, fieldError.invalid(`${path}.partition`, partition, partitionMessage)];
  };
}

/** A secret, if one is named, has a name. */
function withSecret(check: Check): Check {
  return (source, path) => {
    const secret = source['secretRef'] as { readonly name?: string } | undefined;
    const errors = check(source, path);
    return secret === undefined || (secret.name ?? '') !== ''
      ? errors
      : [...errors, fieldError.required(`${path}.secretRef.name`)];
  };
}

const initiatorPatterns: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function validateInitiator(name: string, path: string): FieldError[] {
  const pattern = initiatorPatterns[name.slice(0, 3)];
  if (pattern === undefined)
    return [fieldError.invalid(path, name, 'must be valid format starting with iqn, eui, or naa')];
  return pattern.test(name) ? [] : [fieldError.invalid(path, name, 'must be valid format')];
}

function validateLun(lun: number, path: string): FieldError[] {
  return lun >= 0 && lun <= maximumLun ? [] : [fieldError.invalid(path, lun, rangeMessage(0, maximumLun))];
}

function validateIscsi(source: Source, path: string): FieldError[] {
  const errors = required('targetPortal', 'iqn')(source, path);
  const iqn = textOf(source, 'iqn');
  if (iqn !== '') errors.push(...validateInitiator(iqn, `${path}.iqn`));
  errors.push(...validateLun((source['lun'] as number | undefined) ?? 0, `${path}.lun`));
  const authenticates = source['chapAuthDiscovery'] === true || source['chapAuthSession'] === true;
  if (authenticates && source['secretRef'] === undefined) errors.push(fieldError.required(`${path}.secretRef`));
  const initiator = source['initiatorName'] as string | undefined;
  return initiator === undefined ? errors : [...errors, ...validateInitiator(initiator, `${path}.initiatorname`)];
}

function validateFibreChannel(source: Source, path: string): FieldError[] {
  const at = `${path}.targetWWNs`;
  const [targets, wwids] = [lengthOf(source, 'targetWWNs'), lengthOf(source, 'wwids')];
  const errors: FieldError[] = [];
  if (targets + wwids === 0)
    errors.push(fieldError.required(at, 'must specify either targetWWNs or wwids, but not both'));
  if (targets > 0 && wwids > 0) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously';
    errors.push(fieldError.invalid(at, source['targetWWNs'], detail));
  }
  if (targets === 0) return errors;
  const lun = source['lun'] as number | undefined;
  if (lun === undefined)
    return [...errors, fieldError.required(`${path}.lun`, 'lun is required if targetWWNs is specified')];
  return [...errors, ...validateLun(lun, `${path}.lun`)];
}

function validateFlocker(source: Source, path: string): FieldError[] {
  const [name, uuid] = [textOf(source, 'datasetName'), textOf(source, 'datasetUUID')];
  const errors: FieldError[] = [];
  if (name === '' && uuid === '')
    errors.push(fieldError.required(path, 'one of datasetName and datasetUUID is required'));
  if (name !== '' && uuid !== '') {
    const detail = 'datasetName and datasetUUID can not be specified simultaneously';
    errors.push(fieldError.invalid(path, 'resource', detail));
  }
  if (name.includes('/')) errors.push(fieldError.invalid(`${path}.datasetName`, name, "must not contain '/'"));
  return errors;
}

function validateQuobyte(source: Source, path: string): FieldError[] {
  const registry = textOf(source, 'registry');
  const detail = 'must be a host:port pair or multiple pairs separated by commas';
  const errors: FieldError[] = [];
  if (registry === '') errors.push(fieldError.required(`${path}.registry`, detail));
  else if (textOf(source, 'tenant').length >= 65) {
    const what = 'must be a UUID and may not exceed a length of 64 characters';
    errors.push(fieldError.required(`${path}.tenant`, what));
  } else {
    for (const pair of registry.split(','))
      if (!/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair))
        errors.push(fieldError.invalid(`${path}.registry`, registry, detail));
  }
  return [...errors, ...required('volume')(source, path)];
}

function validateFlex(source: Source, path: string): FieldError[] {
  const options = Object.keys((source['options'] as object | undefined) ?? {});
  const isReserved = (key: string): boolean => /(^|\.)(kubernetes\.io|k8s\.io)$/i.test(key.split('/')[0]!);
  return [
    ...required('driver')(source, path),
    ...options
      .filter(isReserved)
      .map((key) =>
        fieldError.invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'),
      ),
  ];
}

const managedUri = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobUri = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function validateAzureDisk(source: Source, path: string): FieldError[] {
  const kind = source['kind'] as string | undefined;
  const uri = textOf(source, 'diskURI');
  const errors = [
    ...required('diskName', 'diskURI')(source, path),
    ...oneOf(source['cachingMode'] as string | undefined, ['None', 'ReadOnly', 'ReadWrite'], `${path}.cachingMode`),
    ...oneOf(kind, ['Dedicated', 'Managed', 'Shared'], `${path}.kind`),
  ];
  if (kind === 'Managed' && !uri.startsWith('/subscriptions/'))
    errors.push(fieldError.notSupported(`${path}.diskURI`, uri, [managedUri]));
  if (kind !== undefined && kind !== 'Managed' && !uri.startsWith('https://'))
    errors.push(fieldError.notSupported(`${path}.diskURI`, uri, [blobUri]));
  return errors;
}

function validateStorageOs(source: Source, path: string): FieldError[] {
  const [name, namespace] = [textOf(source, 'volumeName'), textOf(source, 'volumeNamespace')];
  return [
    ...(name === ''
      ? [fieldError.required(`${path}.volumeName`)]
      : invalidAll(`${path}.volumeName`, name, label1123Problems(name))),
    ...(namespace === '' ? [] : invalidAll(`${path}.volumeNamespace`, namespace, label1123Problems(namespace))),
  ];
}

const checks: Readonly<Record<string, Check>> = {
  awsElasticBlockStore: withPartition(required('volumeID')),
  azureDisk: validateAzureDisk,
  azureFile: required('secretName', 'shareName'),
  cephfs: required('monitors'),
  cinder: withSecret(required('volumeID')),
  fc: validateFibreChannel,
  flexVolume: validateFlex,
  flocker: validateFlocker,
  gcePersistentDisk: withPartition(required('pdName')),
  glusterfs: required('endpoints', 'path'),
  iscsi: validateIscsi,
  photonPersistentDisk: required('pdID'),
  portworxVolume: required('volumeID'),
  quobyte: validateQuobyte,
  rbd: required('monitors', 'image'),
  scaleIO: required('gateway', 'system', 'volumeName'),
  storageos: withSecret(validateStorageOs),
  vsphereVolume: required('volumePath'),
};

/** What is wrong with a source that pods and persistent volumes may have; nothing for other sources. */
export function validateSharedSource(name: string, source: object, path: string): FieldError[] {
  // Upstream calls one of them by an older name.
  const called = name === 'gcePersistentDisk' ? 'persistentDisk' : name;
  return checks[name]?.(source as Source, `${path}.${called}`) ?? [];
}

/** The same source a second time: upstream misspells two of them. */
export function oneTooMany(name: string, path: string, misspelt: Readonly<Record<string, string>>): FieldError {
  return fieldError.forbidden(`${path}.${misspelt[name] ?? name}`, 'may not specify more than 1 volume type');
}
