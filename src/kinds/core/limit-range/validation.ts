import { validateContainerResourceName } from '#kinds/core/pod/validation/resources.ts';
import type { LimitRange, LimitRangeItem } from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll } from '#kinds/validation/common.ts';
import { validateResourceName } from '#kinds/validation/resource-names.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { labelKeyProblems } from '#machinery/names.ts';
import { compareQuantities, formatQuantity, milliValue, type Quantity, quantity } from '#machinery/quantity.ts';

const types = ['Pod', 'Container', 'PersistentVolumeClaim'];
const bounds = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>();
  return each(spec?.limits, 'spec.limits', (item, path) => {
    const errors = invalidAll(`${path}.type`, item.type, labelKeyProblems(item.type));
    if (errors.length === 0 && !item.type.includes('/') && !types.includes(item.type))
      errors.push(fieldError.invalid(`${path}.type`, item.type, 'must be a standard limit type or fully qualified'));
    if (seen.has(item.type)) errors.push(fieldError.duplicate(`${path}.type`, item.type));
    seen.add(item.type);
    return [...errors, ...validateNames(item, path), ...validateRequired(item, path), ...validateOrder(item, path)];
  });
}

function validateNames(item: LimitRangeItem, path: string): FieldError[] {
  const isCompute = item.type === 'Pod' || item.type === 'Container';
  const check = isCompute ? validateContainerResourceName : validateResourceName;
  return bounds.flatMap((bound) => {
    const names = Object.keys(item[bound] ?? {});
    const isDefault = bound === 'default' || bound === 'defaultRequest';
    if (isDefault && item.type === 'Pod')
      return names.length === 0
        ? []
        : [fieldError.forbidden(`${path}.${bound}`, "may not be specified when `type` is 'Pod'")];
    return names.flatMap((name) => check(name, `${path}.${bound}[${name}]`));
  });
}

function validateRequired({ type, min, max }: LimitRangeItem, path: string): FieldError[] {
  if (type !== 'PersistentVolumeClaim' || min?.['storage'] !== undefined || max?.['storage'] !== undefined) return [];
  const detail = 'either minimum or maximum storage value is required, but neither was provided';
  return [fieldError.required(`${path}.limits`, detail)];
}

/** Whether the bounds of each resource leave something between them. */
function validateOrder(item: LimitRangeItem, path: string): FieldError[] {
  const isPod = item.type === 'Pod';
  const names = new Set(bounds.flatMap((bound) => Object.keys(item[bound] ?? {})));
  return [...names].flatMap((name) => {
    const value = (bound: (typeof bounds)[number]): Quantity | undefined => {
      const text = item[bound]?.[name];
      return text === undefined ? undefined : quantity(text);
    };
    const limits = isPod ? undefined : value('default');
    const requests = isPod ? undefined : value('defaultRequest');
    const [min, max] = [value('min'), value('max')];
    const at = (bound: string): string => `${path}.${bound}[${name}]`;
    const pairs: readonly Order[] = [
      { lesser: min, greater: max, at: at('min'), shown: min, words: ['min', 'max'] },
      { lesser: min, greater: requests, at: at('defaultRequest'), shown: requests, words: ['min', 'default request'] },
      { lesser: requests, greater: max, at: at('defaultRequest'), shown: requests, words: ['default request', 'max'] },
      {
        lesser: requests,
        greater: limits,
        at: at('defaultRequest'),
        shown: requests,
        words: ['default request', 'default limit'],
      },
      { lesser: min, greater: limits, at: at('default'), shown: min, words: ['min', 'default'] },
      { lesser: limits, greater: max, at: at('default'), shown: max, words: ['default', 'max'] },
    ];
    return [
      ...pairs.flatMap(inOrder),
      ...validateRatio(value('maxLimitRequestRatio'), { min, max }, at('maxLimitRequestRatio')),
      ...validateHugePages(name, { limits, requests }, at('defaultRequest')),
    ];
  });
}

interface Order {
  readonly lesser: Quantity | undefined;
  readonly greater: Quantity | undefined;
  readonly at: string;
  readonly shown: Quantity | undefined;
  readonly words: readonly [string, string];
}

function inOrder({ lesser, greater, at, shown, words }: Order): FieldError[] {
  if (lesser === undefined || greater === undefined || compareQuantities(lesser, greater) <= 0) return [];
  const detail = `${words[0]} value ${formatQuantity(lesser)} is greater than ${words[1]} value ${formatQuantity(greater)}`;
  return [fieldError.invalid(at, formatQuantity(shown!), detail)];
}

function validateRatio(
  ratio: Quantity | undefined,
  { min, max }: { readonly min: Quantity | undefined; readonly max: Quantity | undefined },
  path: string,
): FieldError[] {
  if (ratio === undefined) return [];
  const text = formatQuantity(ratio);
  const errors = compareQuantities(ratio, quantity('1')) < 0 ? [`ratio ${text} is less than 1`] : [];
  if (min !== undefined && max !== undefined) {
    const possible = milliValue(max) / milliValue(min);
    if (milliValue(ratio) / 1000 > possible)
      errors.push(`ratio ${text} is greater than max/min = ${possible.toFixed(6)}`);
  }
  return errors.map((detail) => fieldError.invalid(path, text, detail));
}

function validateHugePages(
  name: string,
  given: { readonly limits: Quantity | undefined; readonly requests: Quantity | undefined },
  path: string,
): FieldError[] {
  const { limits, requests } = given;
  const isFixed = name.startsWith('hugepages-') || (name.includes('/') && !name.startsWith('kubernetes.io/'));
  if (!isFixed || limits === undefined || requests === undefined || compareQuantities(limits, requests) === 0)
    return [];
  const [limit, request] = [formatQuantity(limits), formatQuantity(requests)];
  const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  return [fieldError.invalid(path, request, detail)];
}
