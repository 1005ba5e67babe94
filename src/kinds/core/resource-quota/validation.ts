import type { ResourceQuota, ResourceQuotaSpec } from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { negativeMessage } from '#kinds/validation/common.ts';
import {
  isCountedInPieces,
  isStandardQuotaResource,
  podComputeResources,
  validateQuotaResourceName,
} from '#kinds/validation/resource-names.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { quantity } from '#machinery/quantity.ts';

type Amounts = Readonly<Record<string, string>> | undefined;

const podScopes = [
  'Terminating',
  'NotTerminating',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
] as const;
const scopes: ReadonlySet<string> = new Set([...podScopes, 'BestEffort', 'VolumeAttributesClass']);
const yesOrNo: ReadonlySet<string> = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

export function validateResourceQuota({ spec, status }: ResourceQuota): FieldError[] {
  return [
    ...validateAmounts(spec?.hard, 'spec.hard'),
    ...validateScopes(spec ?? {}),
    ...validateScopeSelector(spec ?? {}),
    ...validateAmounts(status?.hard, 'status.hard'),
    ...validateAmounts(status?.used, 'status.used'),
  ];
}

export function validateResourceQuotaUpdate({ spec }: ResourceQuota, { spec: old }: ResourceQuota): FieldError[] {
  const listed = (values: readonly string[] = []): string => JSON.stringify([...new Set(values)].sort());
  if (listed(spec?.scopes) === listed(old?.scopes)) return [];
  return [fieldError.invalid('spec.scopes', spec?.scopes ?? null, 'field is immutable')];
}

export function validateResourceQuotaStatusUpdate({ status }: ResourceQuota): FieldError[] {
  return [...validateAmounts(status?.hard, 'status.hard'), ...validateAmounts(status?.used, 'status.used')];
}

function validateAmounts(amounts: Amounts, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, text]) => {
    const at = `${path}[${name}]`;
    const errors = validateQuotaResourceName(name, at);
    const { nanos } = quantity(text);
    if (nanos < 0n) errors.push(fieldError.invalid(at, text, negativeMessage));
    if (isCountedInPieces(name) && nanos % 1_000_000_000n !== 0n)
      errors.push(fieldError.invalid(at, text, 'must be an integer'));
    return errors;
  });
}

/** Whether objects in the scope take the resource at all. */
function scopeHas(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass')
    return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
  const isPodResource = resource === 'pods' || podComputeResources.has(resource);
  return (podScopes as readonly string[]).includes(scope) ? isPodResource : true;
}

/** Resources that a quota knows and that no object in the scope takes. */
function misplaced(scope: string, { hard = {} }: ResourceQuotaSpec): readonly string[] {
  return Object.keys(hard)
    .sort()
    .filter((name) => isStandardQuotaResource(name) && !scopeHas(scope, name));
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const { scopes: wanted = [] } = spec;
  const path = 'spec.scopes';
  const errors = wanted.flatMap((scope) => [
    ...(scopes.has(scope) ? [] : ['unsupported scope']),
    ...misplaced(scope, spec).map(() => 'unsupported scope applied to resource'),
  ]);
  return [...errors, ...conflicts(wanted)].map((detail) => fieldError.invalid(path, wanted, detail));
}

function conflicts(wanted: readonly string[]): string[] {
  return opposites.filter((pair) => pair.every((scope) => wanted.includes(scope))).map(() => 'conflicting scopes');
}

function validateScopeSelector(spec: ResourceQuotaSpec): FieldError[] {
  const { scopeSelector } = spec;
  const requirements = scopeSelector?.matchExpressions ?? [];
  const path = 'spec.scopeSelector.matchExpressions';
  const errors = requirements.flatMap(({ scopeName, operator, values = [] }) => {
    const found: FieldError[] = [];
    if (!scopes.has(scopeName)) found.push(fieldError.invalid(`${path}.scopeName`, scopeName, 'unsupported scope'));
    for (const _ of misplaced(scopeName, spec))
      found.push(
        fieldError.invalid(
          path,
          goStruct('core.ScopeSelector', scopeSelector),
          'unsupported scope applied to resource',
        ),
      );
    if (yesOrNo.has(scopeName) && operator !== 'Exists')
      found.push(fieldError.invalid(`${path}.operator`, operator, onlyExists));
    return [...found, ...validateOperator(operator, values, path)];
  });
  const names = requirements.map(({ scopeName }) => scopeName);
  return [...errors, ...conflicts(names).map((detail) => fieldError.invalid(path, spec.scopes ?? null, detail))];
}

const onlyExists =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function validateOperator(operator: string, values: readonly string[], path: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn': {
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      return values.length === 0 ? [fieldError.required(`${path}.values`, detail)] : [];
    }
    case 'Exists':
    case 'DoesNotExist': {
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      return values.length === 0 ? [] : [fieldError.invalid(`${path}.values`, values, detail)];
    }
    default:
      return [fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator')];
  }
}
