import type { ServiceCIDR } from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { each, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { addressFamily, canonicalCidrProblems, isNetwork } from '#machinery/ip.ts';

const path = 'spec.cidrs';
const immutableMessage = 'field is immutable';

/** A range of service addresses (KEP-1880). */
export const serviceCidrRules: KindRules<ServiceCIDR> = {
  hasGeneration: false,
  validateUpdateOnly: true,
  validate: ({ spec }) => validateRanges(spec?.cidrs ?? []),
  validateUpdate: ({ spec }, { spec: old }) => validateChange(spec?.cidrs ?? [], old?.cidrs ?? []),
};

function validateRanges(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [fieldError.required(path, 'at least one CIDR required')];
  if (cidrs.length > 2) return [fieldError.invalid(path, { cidrs }, 'may only hold up to 2 values')];
  const errors = each(cidrs, path, (cidr, at) => invalidAll(at, cidr, canonicalCidrProblems(cidr)));
  const [first, second] = cidrs.map((cidr) => (isNetwork(cidr) ? addressFamily(cidr.split('/')[0]!) : undefined));
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(fieldError.invalid(path, cidrs, detail));
  }
  return errors;
}

/** A second family may join; nothing else changes. */
function validateChange(cidrs: readonly string[], old: readonly string[]): FieldError[] {
  const isJoined = old.length === 1 && cidrs.length === 2;
  if (cidrs.length !== old.length && !isJoined) return [fieldError.invalid(path, cidrs, immutableMessage)];
  const changed = each(old, path, (cidr, at, index) =>
    cidr === cidrs[index] ? [] : [fieldError.invalid(at, cidrs[index], immutableMessage)],
  );
  return isJoined ? [...changed, ...validateRanges(cidrs)] : changed;
}
