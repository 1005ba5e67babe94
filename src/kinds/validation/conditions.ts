import { type FieldError, fieldError } from '#machinery/errors.ts';
import { byteLength, labelKeyProblems, patternMessage } from '#machinery/names.ts';
import { each, invalidAll, oneOf } from './common.ts';

/** Conditions of the shape that kinds share (meta/v1 Condition). */
export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

const maxReasonBytes = 1024;
const maxMessageBytes = 32 * 1024;
const reasonPattern = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonMessage = patternMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reasonPattern,
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
);

export function validateConditions(conditions: readonly Condition[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  return each(conditions, path, (condition, at) => {
    const { type = '', status = '', observedGeneration = 0, lastTransitionTime, message = '' } = condition;
    const errors = seen.has(type) ? [fieldError.duplicate(`${at}.type`, type)] : [];
    seen.add(type);
    errors.push(
      ...invalidAll(`${at}.type`, type, labelKeyProblems(type)),
      ...oneOf(status, ['False', 'True', 'Unknown'], `${at}.status`),
    );
    if (observedGeneration < 0) {
      const detail = 'must be greater than or equal to zero';
      errors.push(fieldError.invalid(`${at}.observedGeneration`, observedGeneration, detail));
    }
    if ((lastTransitionTime ?? '') === '') errors.push(fieldError.required(`${at}.lastTransitionTime`));
    errors.push(...validateReason(condition.reason ?? '', `${at}.reason`));
    return byteLength(message) > maxMessageBytes
      ? [...errors, fieldError.tooLong(`${at}.message`, maxMessageBytes)]
      : errors;
  });
}

function validateReason(reason: string, path: string): FieldError[] {
  if (reason === '') return [fieldError.required(path)];
  const isReason = new RegExp(`^${reasonPattern}$`).test(reason);
  return [
    ...(isReason ? [] : [fieldError.invalid(path, reason, reasonMessage)]),
    ...(byteLength(reason) > maxReasonBytes ? [fieldError.tooLong(path, maxReasonBytes)] : []),
  ];
}
