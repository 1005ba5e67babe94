import type { ScopeRequirement } from '#kinds/core/resource-quota/scopes.ts';
import { isInScope, plus, type QuotaEvaluator, scopesOf, type Usage } from '#kinds/core/resource-quota/usage.ts';
import type { ResourceQuota } from '#kinds/generated/types/core_v1.ts';
import { forbidden } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { compareQuantities, formatQuantity, type Quantity, quantity, subtractQuantities } from '#machinery/quantity.ts';
import { type AdmissionAttributes, subjectName } from '../plugin.ts';
import type { LimitedResource } from './configuration.ts';

/** A quota while a batch of requests is judged: `used` grows with what is admitted. */
export interface OpenQuota {
  readonly quota: ResourceQuota;
  readonly used: Map<string, Quantity>;
}

/** One request that quotas have a say in. */
export interface Claim {
  readonly attributes: AdmissionAttributes;
  readonly evaluator: QuotaEvaluator;
  readonly limited: readonly LimitedResource[];
  readonly nowMs: number;
  /** What the objects of the request's kind take by the server's own count. */
  readonly taken: (quota: ResourceQuota, name: string) => Quantity | undefined;
}

/** What a request takes from one quota. */
export interface Charge {
  readonly open: OpenQuota;
  readonly amounts: Usage;
  /** What is used with it. */
  readonly after: Usage;
}

/** What an admitted request takes from each quota. @throws ApiError 403 when one of them has too little left. */
export function judge(claim: Claim, quotas: readonly OpenQuota[]): readonly Charge[] {
  const { attributes, evaluator, nowMs } = claim;
  const object = attributes.object as ApiObject;
  const concerned = quotas.filter((open) => isConcerned(claim, open));
  checkCovered(claim, quotas, concerned);
  if (concerned.length === 0) return [];
  const usage = evaluator.usage(object, nowMs);
  const negative = [...usage].filter(([, { nanos }]) => nanos < 0n).map(([name]) => name);
  if (negative.length > 0) throw refused(attributes, `quota usage is negative for resource(s): ${negative.join(',')}`);
  const charges = concerned.flatMap((open) => charge(claim, open, changeOf(claim, open, usage)));
  for (const { open, after } of charges) for (const [name, amount] of after) open.used.set(name, amount);
  return charges;
}

function refused(attributes: AdmissionAttributes, why: string): Error {
  return forbidden(attributes.request.resource.kind, subjectName(attributes), why);
}

/** Whether the quota limits what the object takes. @throws ApiError 403 when that cannot be told. */
function isConcerned({ attributes, evaluator }: Claim, { quota }: OpenQuota): boolean {
  const object = attributes.object as ApiObject;
  const hard = quota.status?.hard ?? {};
  const names = Object.keys(hard).filter(evaluator.counts);
  if (names.length === 0 || !isInScope(quota, attributes.request.resource.kind, object)) return false;
  const missing = evaluator.missing?.(names, object);
  const quotaName = quota.metadata.name ?? '';
  if (missing !== undefined) throw refused(attributes, `failed quota: ${quotaName}: ${missing}`);
  if (names.some((name) => quota.status?.used?.[name] === undefined))
    throw refused(attributes, `status unknown for quota: ${quotaName}, resources: ${names.sort().join(',')}`);
  return true;
}

/** What may only be consumed under a quota has one. */
function checkCovered(
  { attributes, evaluator, limited, nowMs }: Claim,
  quotas: readonly OpenQuota[],
  concerned: readonly OpenQuota[],
): void {
  if (limited.length === 0) return;
  const object = attributes.object as ApiObject;
  const consumed = [...evaluator.usage(object, nowMs).keys()];
  const covered = (name: string): boolean => concerned.some(({ quota }) => quota.status?.hard?.[name] !== undefined);
  const contains = limited.flatMap(({ matchContains }) => matchContains);
  const uncovered = consumed.filter((name) => contains.some((text) => name.includes(text)) && !covered(name));
  if (uncovered.length > 0) throw refused(attributes, `insufficient quota to consume: ${uncovered.sort().join(',')}`);
  const { inScope } = evaluator;
  if (inScope === undefined) return;
  const isIn = (scope: ScopeRequirement): boolean => inScope(scope, object);
  const coveredScopes = quotas.flatMap(({ quota }) => scopesOf(quota)).filter(isIn);
  const open = limited
    .flatMap(({ matchScopes }) => matchScopes)
    .filter((scope) => isIn(scope) && !coveredScopes.some(({ scopeName }) => scopeName === scope.scopeName));
  if (open.length === 0) return;
  const written = open.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`,
  );
  throw refused(attributes, `insufficient quota to match these scopes: [${written.join(' ')}]`);
}

/** What an update takes more, or less, than the object as it was; everything, where the quota did not count that. */
function changeOf({ attributes, evaluator, nowMs }: Claim, { quota }: OpenQuota, usage: Usage): Usage {
  const { oldObject, request } = attributes;
  const change = new Map(usage);
  if (oldObject !== undefined && isInScope(quota, request.resource.kind, oldObject)) {
    for (const [name, amount] of evaluator.usage(oldObject, nowMs))
      change.set(name, subtractQuantities(change.get(name) ?? zero, amount));
  }
  for (const [name, { nanos }] of change) if (nanos === 0n) change.delete(name);
  return change;
}

const zero: Quantity = { nanos: 0n, format: 'decimal' };

function charge({ attributes, taken }: Claim, open: OpenQuota, change: Usage): readonly Charge[] {
  const { quota, used } = open;
  const hard = quota.status?.hard ?? {};
  const amounts = new Map([...change].filter(([name]) => hard[name] !== undefined));
  if (amounts.size === 0) return [];
  const next = new Map<string, Quantity>();
  const exceeded: string[] = [];
  for (const [name, amount] of amounts) {
    const before = larger(used.get(name) ?? zero, taken(quota, name));
    used.set(name, before);
    const after = plus(before, amount);
    if (amount.nanos > 0n && compareQuantities(after, quantity(hard[name])) > 0) exceeded.push(name);
    next.set(name, after);
  }
  if (exceeded.length > 0) {
    const list = (of: (name: string) => Quantity): string =>
      exceeded
        .sort()
        .map((name) => `${name}=${formatQuantity(of(name))}`)
        .join(',');
    const requested = list((name) => amounts.get(name)!);
    const limits = list((name) => quantity(hard[name]));
    throw refused(
      attributes,
      `exceeded quota: ${quota.metadata.name}, requested: ${requested}, used: ${list((name) => used.get(name)!)}, limited: ${limits}`,
    );
  }
  return [{ open, amounts, after: next }];
}

function larger(left: Quantity, right: Quantity | undefined): Quantity {
  return right !== undefined && compareQuantities(right, left) > 0 ? right : left;
}
