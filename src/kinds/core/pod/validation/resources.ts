import type { ResourceRequirements } from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, negativeMessage } from '#kinds/validation/common.ts';
import { isCountedInPieces, validateResourceName } from '#kinds/validation/resource-names.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems, labelKeyProblems } from '#machinery/names.ts';
import { compareQuantities, quantity } from '#machinery/quantity.ts';

const containerResources: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
/** Resources of which a node can promise more than it has. */
const isOvercommitAllowed = (name: string): boolean => isNative(name) && !isHugePages(name);

/** A resource that somebody else counts, in whole pieces. */
function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && labelKeyProblems(`requests.${name}`).length === 0;
}

/** A resource of a container: cpu, memory, storage, huge pages, or an extended one like `example.com/gpu`. */
export function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (!name.includes('/')) {
    if (containerResources.has(name) || isHugePages(name)) return errors;
    return [...errors, fieldError.invalid(path, name, 'must be a standard resource for containers')];
  }
  if (isNative(name) || isExtended(name)) return errors;
  return [...errors, fieldError.invalid(path, name, "doesn't follow extended resource name standard")];
}

/** An amount that a resource can have. */
export function validateResourceAmount(name: string, amount: string, path: string): FieldError[] {
  const { nanos } = quantity(amount);
  const errors = nanos < 0n ? [fieldError.invalid(path, amount, negativeMessage)] : [];
  if (isCountedInPieces(name) && nanos % 1_000_000_000n !== 0n)
    errors.push(fieldError.invalid(path, amount, 'must be an integer'));
  return errors;
}

/** Requests and limits of one container. */
export function validateResources(
  resources: ResourceRequirements | undefined,
  claims: ReadonlySet<string>,
  path: string,
  validateName = validateContainerResourceName,
): FieldError[] {
  if (resources === undefined) return [];
  const { limits = {}, requests = {} } = resources;
  const errors: FieldError[] = [];
  let hasHugePages = false;
  let hasComputing = false;
  const look = (name: string, amount: string, at: string): void => {
    errors.push(...validateName(name, at), ...validateResourceAmount(name, amount, at));
    if (isHugePages(name)) hasHugePages = true;
    if (name === 'cpu' || name === 'memory') hasComputing = true;
  };
  for (const [name, amount] of Object.entries(limits)) look(name, amount, `${path}.limits[${name}]`);
  for (const [name, amount] of Object.entries(requests)) {
    look(name, amount, `${path}.requests[${name}]`);
    const limit = limits[name];
    if (limit !== undefined) {
      const order = compareQuantities(quantity(amount), quantity(limit));
      if (isOvercommitAllowed(name) ? order <= 0 : order === 0) continue;
      const bound = isOvercommitAllowed(name) ? 'less than or equal to' : 'equal to';
      errors.push(fieldError.invalid(`${path}.requests`, amount, `must be ${bound} ${name} limit of ${limit}`));
    } else if (!isOvercommitAllowed(name)) {
      errors.push(fieldError.required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    }
  }
  if (hasHugePages && !hasComputing) errors.push(fieldError.forbidden(path, 'HugePages require cpu or memory'));
  return [...errors, ...validateClaims(resources.claims ?? [], claims, `${path}.claims`)];
}

/** Claims of the pod that a container uses: all of one, or some of its requests. */
function validateClaims(
  uses: NonNullable<ResourceRequirements['claims']>,
  claims: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const keys = new Set<string>();
  const list = [...claims].sort().join(', ');
  const detail = `must be one of the names in pod.spec.resourceClaims${list === '' ? ' which is empty' : `: ${list}`}`;
  return each(uses, path, ({ name = '', request = '' }, at) => {
    if (name === '') return [fieldError.required(at)];
    const errors: FieldError[] = [];
    if (keys.has(name)) errors.push(fieldError.duplicate(at, name));
    else {
      if (request !== '') errors.push(...invalidAll(`${at}.request`, request, label1123Problems(request)));
      const key = request === '' ? name : `${name}/${request}`;
      if (keys.has(key)) errors.push(fieldError.duplicate(at, key));
      else if (request === '')
        for (const known of keys) if (known.startsWith(`${name}/`)) errors.push(fieldError.duplicate(at, name));
      keys.add(key);
    }
    return claims.has(name) ? errors : [...errors, fieldError.notFound(at, name, detail)];
  });
}
