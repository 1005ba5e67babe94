import type { Kind } from './kind.ts';

/** From which minor versions on a kind is deprecated and gone, and what takes its place. */
interface Deprecation {
  readonly since: number;
  readonly until?: number;
  readonly use?: string;
}

const sinceCandidate: Deprecation = { since: 36, until: 39 };
const sinceLast: Deprecation = { since: 35, until: 38 };
const sinceBeforeLast: Deprecation = { since: 34, until: 37 };

/** By API version and kind. */
const deprecations: Readonly<Record<string, Deprecation>> = {
  'v1 ComponentStatus': { since: 19 },
  'v1 Endpoints': { since: 33, use: 'discovery.k8s.io/v1 EndpointSlice' },
  'admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicy': sinceLast,
  'admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicyBinding': sinceLast,
  'certificates.k8s.io/v1alpha1 ClusterTrustBundle': sinceBeforeLast,
  'coordination.k8s.io/v1alpha2 LeaseCandidate': sinceLast,
  'coordination.k8s.io/v1beta1 LeaseCandidate': sinceCandidate,
  'networking.k8s.io/v1beta1 IPAddress': sinceBeforeLast,
  'networking.k8s.io/v1beta1 ServiceCIDR': sinceBeforeLast,
  'resource.k8s.io/v1alpha3 DeviceTaintRule': sinceCandidate,
  'resource.k8s.io/v1beta1 DeviceClass': sinceLast,
  'resource.k8s.io/v1beta1 ResourceClaim': sinceLast,
  'resource.k8s.io/v1beta1 ResourceClaimTemplate': sinceLast,
  'resource.k8s.io/v1beta1 ResourceSlice': sinceLast,
  'resource.k8s.io/v1beta2 DeviceClass': sinceCandidate,
  'resource.k8s.io/v1beta2 ResourceClaim': sinceCandidate,
  'resource.k8s.io/v1beta2 ResourceClaimTemplate': sinceCandidate,
  'resource.k8s.io/v1beta2 ResourceSlice': sinceCandidate,
  'storage.k8s.io/v1beta1 VolumeAttributesClass': {
    ...sinceBeforeLast,
    use: 'storage.k8s.io/v1 VolumeAttributesClass',
  },
};

/** The release that will not have a kind any more, such as `1.38`; '' when none is known, undefined for kinds that stay. */
export function deprecatedUntil({ group, version, kind }: Kind): string | undefined {
  const found = deprecations[`${group === '' ? '' : `${group}/`}${version} ${kind}`];
  return found && (found.until === undefined ? '' : `1.${found.until}`);
}

/** What everybody who asks for such a kind is warned of; undefined for the kinds that stay. */
export function deprecationOf({ group, version, kind }: Kind): string | undefined {
  const name = `${group === '' ? '' : `${group}/`}${version} ${kind}`;
  const found = deprecations[name];
  if (found === undefined) return undefined;
  const { since, until, use } = found;
  const end = until === undefined ? '' : `, unavailable in v1.${until}+`;
  return `${name} is deprecated in v1.${since}+${end}${use === undefined ? '' : `; use ${use}`}`;
}
