import type * as resource from '#kinds/generated/types/resource_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Quantity,
  quantity,
  wholeValue,
} from '#machinery/quantity.ts';
import { validateSet } from './sets.ts';

const maxOptions = 10;

/** How much of a device's capacity a request may ask for (KEP-5075). */
export function validateCapacity(
  { value, requestPolicy }: resource.DeviceCapacity,
  path: string,
  isShared: boolean,
): FieldError[] {
  if (requestPolicy === undefined) return [];
  const at = `${path}.requestPolicy`;
  if (!isShared) return [fieldError.forbidden(at, 'allowMultipleAllocations must be true')];
  const { validValues = [], validRange, default: fallback } = requestPolicy;
  const kind = validValues.length > 0 ? 'validValues' : 'validRange';
  if (validValues.length > 0 && validRange !== undefined) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [fieldError.forbidden(at, detail)];
  }
  if (validValues.length === 0 && validRange === undefined) return [];
  if (fallback === undefined) return [fieldError.required(`${at}.default`, `required when ${kind} is defined`)];
  return validRange === undefined
    ? validateOptions(validValues.map(quantity), quantity(fallback), quantity(value), `${at}.validValues`)
    : validateRange(validRange, quantity(fallback), quantity(value), `${at}.validRange`);
}

function isMore(left: Quantity, right: Quantity): boolean {
  return compareQuantities(left, right) > 0;
}

function validateOptions(
  options: readonly Quantity[],
  fallback: Quantity,
  capacity: Quantity,
  path: string,
): FieldError[] {
  const errors = options.slice(1).flatMap((option, index) => {
    const at = `${path}[${index + 1}]`;
    const detail = 'values must be sorted in ascending order';
    return isMore(options[index]!, option) ? [fieldError.invalid(at, formatQuantity(option), detail)] : [];
  });
  const byValue = { max: maxOptions, key: (option: Quantity) => String(wholeValue(option)) };
  const tooLarge = `option is larger than capacity value: ${formatQuantity(capacity)}`;
  errors.push(
    ...validateSet(options, path, byValue, (option, at) =>
      isMore(option, capacity) ? [fieldError.invalid(at, formatQuantity(option), tooLarge)] : [],
    ),
  );
  if (options.some((option) => compareQuantities(option, fallback) === 0)) return errors;
  const detail = 'default value is not valid according to the requestPolicy';
  return [...errors, fieldError.invalid(path, formatQuantity(fallback), detail)];
}

function validateRange(
  range: resource.CapacityRequestPolicyRange,
  fallback: Quantity,
  capacity: Quantity,
  path: string,
): FieldError[] {
  if (range.min === undefined) return [fieldError.required(`${path}.min`, 'required when validRange is defined')];
  const errors: FieldError[] = [];
  const refuse = (field: 'min' | 'max' | 'step', value: Quantity, detail: string, than: Quantity): void => {
    errors.push(fieldError.invalid(`${path}.${field}`, formatQuantity(value), `${detail}: ${formatQuantity(than)}`));
  };
  const min = quantity(range.min);
  if (isMore(min, capacity)) refuse('min', min, 'min is larger than capacity value', capacity);
  if (isMore(min, fallback)) refuse('min', fallback, 'default is less than min', min);
  const max = range.max === undefined ? undefined : quantity(range.max);
  if (max !== undefined && isMore(min, max)) refuse('max', min, 'min is larger than max', max);
  if (max !== undefined && isMore(max, capacity)) refuse('max', max, 'max is larger than capacity value', capacity);
  if (max !== undefined && isMore(fallback, max)) refuse('max', fallback, 'default is more than max', max);
  if (range.step === undefined) return errors;
  const step = quantity(range.step);
  const first = addQuantities(min, step);
  if (isMore(first, capacity))
    refuse('step', step, `one step ${formatQuantity(first)} is larger than capacity value`, capacity);
  for (const value of max === undefined ? [fallback] : [fallback, max]) {
    if ((wholeValue(value) - wholeValue(min)) % wholeValue(step) === 0) continue;
    const detail = `value is not a multiple of a given step (${formatQuantity(step)}) from (${formatQuantity(min)})`;
    errors.push(fieldError.invalid(`${path}.step`, formatQuantity(value), detail));
  }
  return errors;
}
