import { invalidAll } from '#kinds/validation/common.ts';
import { validateDriverName } from '#kinds/validation/driver-name.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, identifierProblems, subdomainProblems } from '#machinery/names.ts';

/** Names in resource.k8s.io that other groups do not have. */

const maxIdentifierBytes = 32;
const maxPoolNameBytes = 253;

/** `identifier`, or `domain/identifier`; more slashes are not looked into. */
export function validateQualifiedName(name: string, path: string): FieldError[] {
  const parts = name.split('/');
  if (parts.length === 1) return validateIdentifier(name, path);
  if (parts.length > 2) return [];
  const [domain = '', identifier = ''] = parts;
  return [
    ...(domain === ''
      ? [fieldError.invalid(path, '', 'the domain must not be empty')]
      : validateDriverName(domain, path)),
    ...(identifier === ''
      ? [fieldError.invalid(path, '', 'the name must not be empty')]
      : validateIdentifier(identifier, path)),
  ];
}

export function validateFullyQualifiedName(name: string, path: string): FieldError[] {
  const errors = validateQualifiedName(name, path);
  if (name.includes('/')) return errors;
  const detail = 'a fully qualified name must be a domain and a name separated by a slash';
  return [...errors, fieldError.invalid(path, name, detail)];
}

function validateIdentifier(name: string, path: string): FieldError[] {
  const errors = byteLength(name) > maxIdentifierBytes ? [fieldError.tooLong(path, maxIdentifierBytes)] : [];
  return [...errors, ...invalidAll(path, name, identifierProblems(name))];
}

export function validatePoolName(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  return [
    ...(byteLength(name) > maxPoolNameBytes ? [fieldError.tooLong(path, maxPoolNameBytes)] : []),
    ...name.split('/').flatMap((part) => invalidAll(path, part, subdomainProblems(part))),
  ];
}
