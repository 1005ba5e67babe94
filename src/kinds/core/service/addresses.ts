import type { Service, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { ipFamily, ipProblems } from '#machinery/ip.ts';

const path = 'spec.clusterIPs';

export const isHeadless = ({ clusterIPs = [] }: ServiceSpec): boolean =>
  clusterIPs.length === 1 && clusterIPs[0] === 'None';

/** Cluster addresses, their families and the policy, against each other: asked before addresses are chosen as well. */
export function validateAddresses(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIPs = [] } = spec;
  const families = new Set<string>();
  const wrong = validateEach(clusterIPs);
  const errors = [
    ...validateFirst(spec),
    ...each(spec.ipFamilies, 'spec.ipFamilies', (family, at) => {
      const found = oneOf(family, ['IPv4', 'IPv6'], at);
      if (families.has(family)) found.push(fieldError.duplicate(at, family));
      families.add(family);
      return found;
    }),
    ...oneOf(spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'spec.ipFamilyPolicy'),
    ...wrong,
  ];
  if (clusterIPs.length > 2) errors.push(fieldError.invalid(path, clusterIPs, 'may only hold up to 2 values'));
  return wrong.length > 0 ? errors : [...errors, ...validateFamilies(spec)];
}

/** The old field for one address says the same as the first of the new field. */
function validateFirst({ clusterIP = '', clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (clusterIP === '') {
    if (clusterIPs.length === 0) return [];
    return [fieldError.invalid(path, clusterIPs, 'must be empty when `clusterIP` is not specified')];
  }
  if (clusterIPs.length === 0) return [fieldError.required(path)];
  if (clusterIPs[0] === clusterIP) return [];
  return [fieldError.invalid(path, clusterIPs, 'first value must match `clusterIP`')];
}

function validateEach(clusterIPs: readonly string[]): FieldError[] {
  return each(clusterIPs, path, (ip, at, index) => {
    if (index > 0 || ip !== 'None') return invalidAll(at, ip, ipProblems(ip));
    const detail = "'None' must be the first and only value";
    return clusterIPs.length === 1 ? [] : [fieldError.invalid(path, clusterIPs, detail)];
  });
}

function validateFamilies(spec: ServiceSpec): FieldError[] {
  const { clusterIPs = [], ipFamilies = [] } = spec;
  const found = clusterIPs.map(ipFamily);
  const errors: FieldError[] = [];
  if (clusterIPs.length > 1 && (clusterIPs.length > 2 || found[0] === found[1])) {
    const detail = 'may specify no more than one IP for each IP family';
    errors.push(fieldError.invalid(path, clusterIPs, detail));
  }
  if (isHeadless(spec)) return errors;
  for (const [index, ip] of clusterIPs.entries()) {
    const family = ipFamilies[index];
    const isOther = (family === 'IPv4' && found[index] === 6) || (family === 'IPv6' && found[index] !== 6);
    if (!isOther) continue;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    errors.push(fieldError.invalid(`${path}[${index}]`, ip, detail));
  }
  return errors;
}

/** The first address stays, as long as the service has one at all; a second one comes and goes with the policy. */
export function validateAddressUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const addresses = isHeadless(spec) && isHeadless(old) ? [] : validateKept('clusterIPs', spec, old);
  return isHeadless(spec) || isHeadless(old) ? addresses : [...addresses, ...validateKept('ipFamilies', spec, old)];
}

/** How upstream words that something of a pair may not go. */
const wordings = {
  clusterIPs: {
    unset: 'primary clusterIP can not be unset',
    released: "must be set to 'SingleStack' when releasing the secondary clusterIP",
  },
  ipFamilies: {
    unset: 'primary ipFamily can not be unset',
    released: "must be set to 'SingleStack' when releasing the secondary ipFamily",
  },
} as const;

function validateKept(field: keyof typeof wordings, spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const [before, after] = [old[field] ?? [], spec[field] ?? []];
  const { clusterIPs = [] } = spec;
  const at = `spec.${field}`;
  const frozen = 'may not change once set';
  if (before.length === after.length)
    return before.flatMap((one, index) =>
      one === after[index] ? [] : [fieldError.invalid(`${at}[${field === 'ipFamilies' ? 0 : index}]`, after, frozen)],
    );
  const errors: FieldError[] = [];
  const isReleased = before.length > after.length;
  if (isReleased && clusterIPs.length === 0) errors.push(fieldError.invalid(`${at}[0]`, after, wordings[field].unset));
  if (before.length > 0 && after.length > 0 && before[0] !== after[0])
    // Upstream quotes the addresses for the families as well.
    errors.push(fieldError.invalid(`${at}[0]`, clusterIPs, frozen));
  if (isReleased && after.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, wordings[field].released));
  return errors;
}
