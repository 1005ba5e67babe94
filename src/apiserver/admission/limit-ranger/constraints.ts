import type { Totals } from '#kinds/core/pod/totals.ts';
import { compareQuantities, formatQuantity, milliValue, type Quantity, wholeValue } from '#machinery/quantity.ts';

/** What is asked for and what may be used at most. */
export interface Asked {
  readonly requests: Totals;
  readonly limits: Totals;
}

/** One bound of a LimitRange on one resource. */
export interface Bound {
  /** `Container`, `Pod` or `PersistentVolumeClaim`. */
  readonly type: string;
  readonly resource: string;
  readonly value: Quantity;
}

/** What is wrong, in upstream's words; undefined when nothing is. */
export type Verdict = string | undefined;

function usage(what: 'minimum' | 'maximum', { type, resource, value }: Bound): string {
  return `${what} ${resource} usage per ${type} is ${formatQuantity(value)}`;
}

export function atLeast(bound: Bound, { requests, limits }: Asked): Verdict {
  const request = requests.get(bound.resource);
  const limit = limits.get(bound.resource);
  const rule = usage('minimum', bound);
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, bound.value) < 0) return `${rule}, but request is ${formatQuantity(request)}`;
  if (limit !== undefined && compareQuantities(limit, bound.value) < 0)
    return `${rule}, but limit is ${formatQuantity(limit)}`;
  return undefined;
}

export function atMost(bound: Bound, { requests, limits }: Asked): Verdict {
  const request = requests.get(bound.resource);
  const limit = limits.get(bound.resource);
  const rule = usage('maximum', bound);
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (compareQuantities(limit, bound.value) > 0) return `${rule}, but limit is ${formatQuantity(limit)}`;
  if (request !== undefined && compareQuantities(request, bound.value) > 0)
    return `${rule}, but request is ${formatQuantity(request)}`;
  return undefined;
}

/** Of claims: they have requests alone. */
export function requestAtMost(bound: Bound, { requests }: Asked): Verdict {
  const request = requests.get(bound.resource);
  const rule = usage('maximum', bound);
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, bound.value) > 0) return `${rule}, but request is ${formatQuantity(request)}`;
  return undefined;
}

/** Beyond it upstream compares whole units instead of thousandths. */
const largestInThousandths = 2 ** 63 / 1000;

export function ratioAtMost({ type, resource, value }: Bound, { requests, limits }: Asked): Verdict {
  const request = requests.get(resource);
  const limit = limits.get(resource);
  const rule = `${resource} max limit to request ratio per ${type} is ${formatQuantity(value)}`;
  if (request === undefined || request.nanos === 0n) return `${rule}, but no request is specified or request is 0`;
  if (limit === undefined || limit.nanos === 0n) return `${rule}, but no limit is specified or limit is 0`;
  const inThousandths = [request, limit, value].every((amount) => wholeValue(amount) <= largestInThousandths);
  const count = inThousandths ? milliValue : wholeValue;
  const ratio = count(limit) / count(request);
  const allowed = inThousandths ? milliValue(value) / 1000 : wholeValue(value);
  return ratio > allowed ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
