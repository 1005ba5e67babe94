import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, subdomainProblems } from '#machinery/names.ts';
import { invalidAll } from './common.ts';

const maxDriverNameBytes = 63;

/** The name of a CSI driver, as in `ebs.csi.aws.com`. */
export function validateDriverName(name: string | undefined, path: string): FieldError[] {
  if (name === undefined || name === '') return [fieldError.required(path)];
  const errors = byteLength(name) > maxDriverNameBytes ? [fieldError.tooLong(path, maxDriverNameBytes)] : [];
  return [...errors, ...invalidAll(path, name, subdomainProblems(name.toLowerCase()))];
}
