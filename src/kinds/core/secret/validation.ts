import type * as core from '#kinds/generated/types/core_v1.ts';
import { immutable, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { configKeyProblems } from '#machinery/names.ts';
import { decodedLength, maximumDataBytes, validateFrozen } from '../data.ts';

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
