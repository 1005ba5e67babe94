import type * as core from '#kinds/generated/types/core_v1.ts';
import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, configKeyProblems } from '#machinery/names.ts';
import { decodedLength, maximumDataBytes } from '../data.ts';

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
  if (size > maximumDataBytes) errors.push(fieldError.tooLong('[]', maximumDataBytes));
  return errors;
}
