import { validateControllerPods } from '#kinds/core/pod-template/validation.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, immutable, invalidAll, nonNegative, requiredOneOf } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { ipProblems, tolerantIp } from '#machinery/ip.ts';
import {
  byteLength,
  configKeyProblems,
  label1123Problems,
  labelKeyProblems,
  labelValueProblems,
  portNumberProblems,
  subdomainProblems,
} from '#machinery/names.ts';

/** Validation of the core group's smaller kinds. */

const maximumDataBytes = 1024 * 1024;
const frozenMessage = 'field is immutable when `immutable` is set';

type Data = Readonly<Record<string, string>>;

/** Bytes that base64 text stands for. */
function decodedLength(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4);
}

export function validateConfigMap({ data = {}, binaryData = {} }: core.ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...invalidAll(`data[${key}]`, key, configKeyProblems(key)));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(fieldError.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    size += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    errors.push(...invalidAll(`binaryData[${key}]`, key, configKeyProblems(key)));
    size += decodedLength(value);
  }
  if (size > maximumDataBytes) errors.push(fieldError.tooLong('', maximumDataBytes));
  return errors;
}

function validateFrozen(
  object: { readonly immutable?: boolean; readonly data?: Data; readonly binaryData?: Data },
  old: { readonly immutable?: boolean; readonly data?: Data; readonly binaryData?: Data },
): FieldError[] {
  if (old.immutable !== true) return [];
  const errors = object.immutable === true ? [] : [fieldError.forbidden('immutable', frozenMessage)];
  for (const field of ['data', 'binaryData'] as const) {
    if (!equalValues(object[field], old[field])) errors.push(fieldError.forbidden(field, frozenMessage));
  }
  return errors;
}

export function validateConfigMapUpdate(map: core.ConfigMap, old: core.ConfigMap): FieldError[] {
  return validateFrozen(map, old);
}

/** What a secret of a type must hold. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export function validateSecret(secret: core.Secret): FieldError[] {
  const { data = {}, type = '' } = secret;
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...invalidAll(`data[${key}]`, key, configKeyProblems(key)));
    size += decodedLength(value);
  }
  if (size > maximumDataBytes) errors.push(fieldError.tooLong('data', maximumDataBytes));
  for (const key of requiredKeys[type] ?? []) {
    if (data[key] === undefined) errors.push(fieldError.required(`data[${key}]`));
    else if (key.startsWith('.docker')) errors.push(...validateDockerConfig(key, data[key]));
  }
  const account = 'kubernetes.io/service-account.name';
  if (type === 'kubernetes.io/service-account-token' && !secret.metadata.annotations?.[account]) {
    errors.push(fieldError.required(`metadata.annotations[${account}]`));
  }
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined) {
    errors.push(fieldError.required('data[username]'), fieldError.required('data[password]'));
  }
  return errors;
}

function validateDockerConfig(key: string, encoded: string): FieldError[] {
  try {
    const text = atob(encoded);
    if (text.trim() === '') throw new Error('unexpected end of JSON input');
    const first = text.trim()[0]!;
    if (!/["\d{[tfn-]/.test(first)) throw new Error(`invalid character '${first}' looking for beginning of value`);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return [];
    throw new Error('json: cannot unmarshal into Go value of type map[string]interface {}');
  } catch (error) {
    return [fieldError.invalid(`data[${key}]`, '<secret contents redacted>', (error as Error).message)];
  }
}

export function validateSecretUpdate(secret: core.Secret, old: core.Secret): FieldError[] {
  return [...immutable(secret.type, old.type, 'type'), ...validateFrozen(secret, old)];
}

const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

export function validateNamespace(namespace: core.Namespace): FieldError[] {
  return (namespace.spec?.finalizers ?? []).flatMap((finalizer) => {
    const errors = invalidAll('spec.finalizers', finalizer, labelKeyProblems(finalizer));
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return errors;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    return [...errors, fieldError.invalid('spec.finalizers', finalizer, detail)];
  });
}

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTaints(taints: readonly core.Taint[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  return each(taints, path, (taint, at) => {
    const { key, value = '', effect } = taint;
    const errors = invalidAll(`${at}.key`, key, labelKeyProblems(key));
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(fieldError.invalid(`${at}.value`, value, problems.join(';')));
    if ((effect ?? '') === '') errors.push(fieldError.required(`${at}.effect`));
    else if (!taintEffects.includes(effect))
      errors.push(fieldError.notSupportedInOrder(`${at}.effect`, effect, taintEffects));
    if (seen.has(`${effect}/${key}`)) {
      const detail = 'taints must be unique by key and effect pair';
      errors.push(fieldError.duplicate(at, goStruct('core.Taint', taint), detail));
    }
    seen.add(`${effect}/${key}`);
    return errors;
  });
}

export function validateEndpoints(endpoints: core.Endpoints): FieldError[] {
  return each(endpoints.subsets, 'subsets', (subset, path) => {
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(fieldError.required(path, 'must specify `addresses` or `notReadyAddresses`'));
    }
    const address = ({ ip, hostname = '', nodeName }: core.EndpointAddress, at: string): FieldError[] => [
      ...invalidAll(`${at}.ip`, ip, ipProblems(ip)),
      ...(hostname === '' ? [] : invalidAll(`${at}.hostname`, hostname, label1123Problems(hostname))),
      ...(nodeName === undefined ? [] : invalidAll(`${at}.nodeName`, nodeName, subdomainProblems(nodeName))),
      ...reservedIp(ip, `${at}.ip`),
    ];
    return [
      ...errors,
      ...each(addresses, `${path}.addresses`, address),
      ...each(notReadyAddresses, `${path}.notReadyAddresses`, address),
      ...each(ports, `${path}.ports`, ({ name = '', port, protocol, appProtocol }, at) => [
        ...(ports.length > 1 && name === '' ? [fieldError.required(`${at}.name`)] : []),
        ...(name === '' ? [] : invalidAll(`${at}.name`, name, label1123Problems(name))),
        ...invalidAll(`${at}.port`, port, portNumberProblems(port)),
        ...requiredOneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`),
        ...(appProtocol === undefined
          ? []
          : invalidAll(`${at}.appProtocol`, appProtocol, labelKeyProblems(appProtocol))),
      ]),
    ];
  });
}

/** Addresses that traffic must not be sent to on behalf of others. */
export function reservedIp(text: string, path: string): FieldError[] {
  const ip = tolerantIp(text);
  const refuse = (detail: string): FieldError[] => [fieldError.invalid(path, text, detail)];
  if (ip === undefined) return refuse('must be a valid IP address');
  if (ip === '0.0.0.0' || ip === '::') return refuse(`may not be unspecified (${text})`);
  if (ip.startsWith('127.') || ip === '::1') {
    return refuse('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  }
  if (ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip)) {
    return refuse('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  if (/^224\.0\.0\./.test(ip) || /^ff02:/i.test(ip)) {
    return refuse('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
  return [];
}

export function validateReplicationController({ spec }: core.ReplicationController): FieldError[] {
  const { selector } = spec;
  return [
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...(Object.keys(selector ?? {}).length === 0 ? [fieldError.required('spec.selector')] : []),
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...validateControllerPods(selector, spec.template),
  ];
}
