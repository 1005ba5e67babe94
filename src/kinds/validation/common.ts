import { type GoStruct, goStruct } from '#kinds/go-struct.ts';
import { equalMeanings } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import { labelKeyProblems, labelValueProblems, percentProblems } from '#machinery/names.ts';

export const negativeMessage = 'must be greater than or equal to 0';

/** One `Invalid value` for each problem. */
export function invalidAll(path: string, value: unknown, problems: readonly string[]): FieldError[] {
  return problems.map((problem) => fieldError.invalid(path, value, problem));
}

/**
 * What may not change did. Absent and undefined are the same.
 * @param struct how upstream holds the value, and so shows it.
 */
export function immutable(value: unknown, old: unknown, path: string, struct?: GoStruct): FieldError[] {
  if (equalMeanings(value, old)) return [];
  const shown = struct === undefined ? value : goStruct(struct, value);
  return [fieldError.invalid(path, shown, 'field is immutable')];
}

export function nonNegative(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value < 0 ? [fieldError.invalid(path, value, negativeMessage)] : [];
}

/** One of a few texts. What is missing is not checked. */
export function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [fieldError.notSupported(path, value, allowed)];
}

/** The same, where the texts have an order of their own. */
export function oneOfInOrder(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [fieldError.notSupportedInOrder(path, value, allowed)];
}

/** Present and one of a few texts. */
export function requiredOneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return (value ?? '') === '' ? [fieldError.required(path)] : oneOf(value, allowed, path);
}

/** Runs `check` on each item with its path, `spec.ports[0]`. */
export function each<T>(
  items: readonly T[] | undefined,
  path: string,
  check: (item: T, path: string, index: number) => readonly FieldError[],
): FieldError[] {
  return (items ?? []).flatMap((item, index) => check(item, `${path}[${index}]`, index));
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  if (labels === undefined) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...invalidAll(path, key, labelKeyProblems(key)),
    ...invalidAll(path, value, labelValueProblems(value)),
  ]);
}

export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (selector === undefined) return [];
  const expressions = each(
    selector.matchExpressions,
    `${path}.matchExpressions`,
    ({ key, operator, values = [] }, at) => {
      const errors: FieldError[] = [];
      if (operator === 'In' || operator === 'NotIn') {
        const detail = "must be specified when `operator` is 'In' or 'NotIn'";
        if (values.length === 0) errors.push(fieldError.required(`${at}.values`, detail));
      } else if (operator === 'Exists' || operator === 'DoesNotExist') {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        if (values.length > 0) errors.push(fieldError.forbidden(`${at}.values`, detail));
      } else {
        errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'));
      }
      errors.push(...invalidAll(`${at}.key`, key, labelKeyProblems(key)));
      values.forEach((value, index) => {
        errors.push(...invalidAll(`${at}.values[${index}]`, value, labelValueProblems(value)));
      });
      return errors;
    },
  );
  return [...validateLabels(selector.matchLabels, `${path}.matchLabels`), ...expressions];
}

/** Whether a selector says nothing at all, and so selects everything. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
}

/** A whole number or a percentage, as in `maxSurge: 25%`. */
export function positiveIntOrPercent(value: number | string, path: string): FieldError[] {
  if (typeof value === 'number') return nonNegative(value, path);
  return invalidAll(path, value, percentProblems(value));
}

/** The number of a percentage; undefined when the value is none. */
function percentOf(value: number | string | undefined): number | undefined {
  return typeof value === 'string' && percentProblems(value).length === 0 ? Number(value.slice(0, -1)) : undefined;
}

export function notMoreThanAll(value: number | string, path: string): FieldError[] {
  const percent = percentOf(value);
  return percent === undefined || percent <= 100
    ? []
    : [fieldError.invalid(path, value, 'must not be greater than 100%')];
}
