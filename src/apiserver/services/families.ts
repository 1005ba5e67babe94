import { validateAddresses } from '#kinds/core/service/addresses.ts';
import { Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError, invalid } from '#machinery/errors.ts';
import { ipFamily } from '#machinery/ip.ts';
import type { Mutable } from '#machinery/meta.ts';

type Spec = Mutable<ServiceSpec>;

/** The one family that this cluster has addresses of. */
const configured = 'IPv4';
const policyPath = 'spec.ipFamilyPolicy';

/**
 * Fills in the policy and the families of a service that has cluster addresses (KEP-563).
 * @throws ApiError what is wrong with them, and nothing else that may be wrong with the service.
 */
export function initializeFamilies({ metadata, spec }: Mutable<ServiceObject>, old: ServiceObject | undefined): void {
  if (spec.type === 'ExternalName' || keepsPreference(spec, old?.spec)) return;
  const refuseFor = (errors: readonly FieldError[]): void => {
    if (errors.length > 0) throw invalid(Service, metadata.name ?? '', errors);
  };
  const selectsNothing = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (selectsNothing ? 'RequireDualStack' : 'SingleStack');
  refuseFor(validateAddresses(spec));
  refuseFor([
    ...(old === undefined ? [] : releaseSecond(spec, old.spec)),
    ...validateCount(spec),
    ...familiesOfAddresses(spec),
  ]);
  if (selectsNothing) return addBoth(spec);
  refuseFor(validateConfigured(spec));
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = [configured];
}

/** A service that prefers two families neither gains nor loses one by an update of something else. */
function keepsPreference(spec: Spec, old: ServiceSpec | undefined): boolean {
  const preferred = 'PreferDualStack';
  return (
    old !== undefined &&
    spec.ipFamilyPolicy === preferred &&
    (old.ipFamilyPolicy ?? preferred) === preferred &&
    old.type === spec.type &&
    equalValues(old.clusterIPs ?? [], spec.clusterIPs ?? []) &&
    equalValues(old.ipFamilies ?? [], spec.ipFamilies ?? [])
  );
}

/** A second address or family goes with the policy, and only with it. */
function releaseSecond(spec: Spec, old: ServiceSpec): FieldError[] {
  if (spec.ipFamilyPolicy === 'SingleStack') {
    for (const field of ['clusterIPs', 'ipFamilies'] as const) {
      const values = spec[field] ?? [];
      if (values.length > 1 && equalValues(values, old[field])) spec[field] = values.slice(0, 1);
    }
    return [];
  }
  const isFewer = (field: 'clusterIPs' | 'ipFamilies'): boolean => {
    const count = spec[field]?.length ?? 0;
    return count > 0 && count < (old[field]?.length ?? 0);
  };
  const refuse = (what: string): FieldError =>
    fieldError.invalid(policyPath, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(isFewer('clusterIPs') ? [refuse('cluster IP')] : []),
    ...(isFewer('ipFamilies') ? [refuse('IP family')] : []),
  ];
}

function validateCount({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: Spec): FieldError[] {
  if (ipFamilyPolicy !== 'SingleStack') return [];
  const refuse = (what: string): FieldError => {
    const detail = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
    return fieldError.invalid(policyPath, ipFamilyPolicy, detail);
  };
  return [
    ...(clusterIPs.length === 2 ? [refuse('cluster IPs')] : []),
    ...(ipFamilies.length === 2 ? [refuse('IP families')] : []),
  ];
}

/** Addresses that were asked for say their family. */
function familiesOfAddresses(spec: Spec): FieldError[] {
  const { clusterIPs = [] } = spec;
  if (clusterIPs[0] === 'None') return [];
  const errors: FieldError[] = [];
  for (const [index, ip] of clusterIPs.entries()) {
    if (index < (spec.ipFamilies?.length ?? 0)) continue;
    const family = ipFamily(ip) === 4 ? 'IPv4' : 'IPv6';
    if (family === configured) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else
      errors.push(
        fieldError.invalid(`spec.clusterIPs[${index}]`, clusterIPs, `${family} is not configured on this cluster`),
      );
  }
  return errors;
}

/** Endpoints that somebody else makes may be of families that the cluster does not have. */
function addBoth(spec: Spec): void {
  const families = (spec.ipFamilies ?? []).length === 0 ? [configured] : [...spec.ipFamilies!];
  if (families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
  spec.ipFamilies = families;
}

function validateConfigured({ ipFamilyPolicy, ipFamilies = [] }: Spec): FieldError[] {
  const detail = 'this cluster is not configured for dual-stack services';
  return [
    ...(ipFamilyPolicy === 'RequireDualStack' ? [fieldError.invalid(policyPath, ipFamilyPolicy, detail)] : []),
    ...ipFamilies.flatMap((family, index) =>
      family === configured
        ? []
        : [fieldError.invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster')],
    ),
  ];
}
