import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';

/** What a ConfigMap or a Secret may hold in all. */
export const maximumDataBytes = 1024 * 1024;
const frozenMessage = 'field is immutable when `immutable` is set';

type Data = Readonly<Record<string, string>>;

/** Bytes that base64 text stands for. */
export function decodedLength(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4);
}

/** What says that it is `immutable` stays so, with its data (KEP-1412). */
export function validateFrozen(
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
