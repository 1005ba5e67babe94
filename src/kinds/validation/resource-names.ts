import { type FieldError, fieldError } from '#machinery/errors.ts';
import { labelKeyProblems } from '#machinery/names.ts';
import { invalidAll } from './common.ts';

const computeResources = ['cpu', 'memory', 'ephemeral-storage'];
const compute = computeResources.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
const objects = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
];

/** Resources without a domain that a quota knows. */
const quotaResources: ReadonlySet<string> = new Set([...compute, ...objects]);
const standardResources: ReadonlySet<string> = new Set([...quotaResources, 'storage']);

/** Resources of pods that their scopes can narrow. */
export const podComputeResources: ReadonlySet<string> = new Set(compute);

function isHugePages(name: string): boolean {
  return /^(requests\.)?hugepages-/.test(name);
}

/** Whether a quota knows the resource by itself, without a domain. */
export function isStandardQuotaResource(name: string): boolean {
  return quotaResources.has(name) || isHugePages(name);
}

/** A resource of any kind: a standard one, or one with a domain in front. */
export function validateResourceName(name: string, path: string): FieldError[] {
  const errors = invalidAll(path, name, labelKeyProblems(name));
  if (errors.length > 0 || name.includes('/') || standardResources.has(name) || isHugePages(name)) return errors;
  return [fieldError.invalid(path, name, 'must be a standard resource type or fully qualified')];
}

/** A resource that a quota can limit. */
export function validateQuotaResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (name.includes('/') || isStandardQuotaResource(name)) return errors;
  return [...errors, fieldError.invalid(path, name, 'must be a standard resource for quota')];
}

/** Resources that are counted in pieces. */
export function isCountedInPieces(name: string): boolean {
  return objects.includes(name) ? name !== 'requests.storage' : isExtendedName(name);
}

function isExtendedName(name: string): boolean {
  if (!name.includes('/') || name.includes('kubernetes.io/') || name.startsWith('requests.')) return false;
  return labelKeyProblems(`requests.${name}`).length === 0;
}
