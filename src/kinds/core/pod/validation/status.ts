import type * as core from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, immutable, invalidAll, oneOf } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { ipFamily, ipProblems, isMappedIp } from '#machinery/ip.ts';
import { byteLength, label1123Problems, labelKeyProblems, subdomainProblems } from '#machinery/names.ts';
import { validId } from './security.ts';

const lists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;
type List = (typeof lists)[number];
const specListOf = {
  containerStatuses: 'containers',
  initContainerStatuses: 'initContainers',
  ephemeralContainerStatuses: 'ephemeralContainers',
} as const;
const systemConditions: ReadonlySet<string> = new Set(['PodScheduled', 'Ready', 'Initialized']);
const maximumHealthMessageBytes = 1024;

/** What kubelets, schedulers and claims' controllers say of a pod. */
export function validatePodStatus(pod: core.Pod, old: core.Pod): FieldError[] {
  const { status = {}, spec } = pod;
  const { status: before = {} } = old;
  const { observedGeneration = 0 } = status;
  return [
    ...each(status.conditions, 'status.conditions', validateCondition),
    ...validateNomination(pod, old),
    ...notNegative(observedGeneration, 'status.observedGeneration'),
    ...immutable(status.qosClass, before.qosClass, 'status.qosClass'),
    ...lists.flatMap((list) => validateRevival(status, before, old.spec, list)),
    ...validateClaimStatuses(status.resourceClaimStatuses, spec.resourceClaims ?? []),
    ...validateExtended(status.extendedResourceClaimStatus, spec),
    ...validateAddresses(status.podIPs, 'core.PodIP', 'status.podIPs'),
    ...validateHostAddresses(status),
    ...lists.flatMap((list) => validateUsers(status[list], `status.${list}`, spec.os?.name ?? 'linux')),
    ...validateHealth(status.containerStatuses, spec.containers, 'status.containerStatuses'),
    ...validateHealth(status.initContainerStatuses, spec.initContainers ?? [], 'status.initContainerStatuses'),
    ...each(status.ephemeralContainerStatuses, 'status.ephemeralContainerStatuses', (container, at) =>
      (container.allocatedResourcesStatus ?? []).length === 0
        ? []
        : [fieldError.forbidden(`${at}.allocatedResourcesStatus`, 'must not be specified in container status')],
    ),
  ];
}

function notNegative(generation: number, path: string): FieldError[] {
  return generation < 0 ? [fieldError.invalid(path, generation, 'must be a non-negative integer')] : [];
}

function validateCondition({ type, observedGeneration = 0 }: core.PodCondition, path: string): FieldError[] {
  const errors = notNegative(observedGeneration, `${path}.observedGeneration`);
  // Upstream writes this one with a capital.
  return systemConditions.has(type) ? errors : [...errors, ...invalidAll(`${path}.Type`, type, labelKeyProblems(type))];
}

function validateNomination({ status }: core.Pod, old: core.Pod): FieldError[] {
  const name = status?.nominatedNodeName ?? '';
  if (name === '' || name === (old.status?.nominatedNodeName ?? '')) return [];
  const path = 'status.nominatedNodeName';
  const errors = invalidAll(path, name, subdomainProblems(name));
  if ((old.spec.nodeName ?? '') === '') return errors;
  return [...errors, fieldError.forbidden(path, 'may not be set on pods that are already bound to a node')];
}

/** A container that has ended stays so, unless its policy, or a rule of its own (KEP-5307), starts it again. */
function validateRevival(status: core.PodStatus, before: core.PodStatus, spec: core.PodSpec, list: List): FieldError[] {
  const ended = (before[list] ?? []).some(({ state }) => state?.terminated !== undefined);
  if (!ended || (list !== 'ephemeralContainerStatuses' && restartsAll(spec))) return [];
  return each(before[list], `status.${list}`, ({ name, state }, at) => {
    const { terminated } = state ?? {};
    if (terminated === undefined) return [];
    const isRevived = (status[list] ?? []).some((now) => now.name === name && now.state?.terminated === undefined);
    if (!isRevived || mayRestart(spec, list, name, terminated.exitCode)) return [];
    return [fieldError.forbidden(`${at}.state`, 'may not be transitioned to non-terminated state')];
  });
}

function restartsAll({ containers, initContainers = [] }: core.PodSpec): boolean {
  return [...initContainers, ...containers].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );
}

function mayRestart(spec: core.PodSpec, list: List, name: string, exitCode: number): boolean {
  if (list === 'ephemeralContainerStatuses') return false;
  const container = (spec[specListOf[list]] as readonly core.Container[] | undefined)?.find((one) => one.name === name);
  if (container === undefined) return false;
  const { restartPolicy, restartPolicyRules = [] } = container;
  const matches = ({ exitCodes }: core.ContainerRestartRule): boolean => {
    const isListed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes !== undefined && (exitCodes.operator === 'In' ? isListed : !isListed);
  };
  if (restartPolicy !== undefined && restartPolicyRules.some(matches)) return true;
  const policy = restartPolicy ?? spec.restartPolicy ?? 'Always';
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never';
}

function validateClaimStatuses(
  statuses: readonly core.PodResourceClaimStatus[] | undefined,
  claims: readonly core.PodResourceClaim[],
): FieldError[] {
  const names = new Set<string>();
  return each(statuses, 'status.resourceClaimStatuses', ({ name, resourceClaimName }, at) => {
    const errors: FieldError[] = [];
    const detail = 'must match the name of an entry in `spec.resourceClaims`';
    if (!claims.some((claim) => claim.name === name)) errors.push(fieldError.invalid(`${at}.name`, name, detail));
    if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name));
    names.add(name);
    if (resourceClaimName === undefined) return errors;
    return [
      ...errors,
      ...invalidAll(`${at}.resourceClaimName`, resourceClaimName, subdomainProblems(resourceClaimName)),
    ];
  });
}

/** KEP-5004: extended resources that a claim stands for. */
function validateExtended(
  status: core.PodExtendedResourceClaimStatus | undefined,
  { containers, initContainers = [] }: core.PodSpec,
): FieldError[] {
  if (status === undefined) return [];
  const path = 'status.extendedResourceClaimStatus';
  const { requestMappings = [], resourceClaimName = '' } = status;
  const byName = new Map([...initContainers, ...containers].map((container) => [container.name, container]));
  const seen = new Set<string>();
  const errors =
    requestMappings.length === 0
      ? [fieldError.required(`${path}.requestMappings`, 'at least one request mapping is required')]
      : each(requestMappings, `${path}.requestMappings`, (mapping, at) => {
          const key = JSON.stringify([mapping.containerName, mapping.resourceName, mapping.requestName]);
          const isRepeated = seen.has(key);
          seen.add(key);
          return [
            ...validateMapping(mapping, byName.get(mapping.containerName), at),
            ...invalidAll(`${path}.requestName`, mapping.requestName, label1123Problems(mapping.requestName)),
            ...(['containerName', 'resourceName', 'requestName'] as const).flatMap((field) =>
              isRepeated ? [fieldError.duplicate(`${at}.${field}`, mapping[field])] : [],
            ),
          ];
        });
  const at = `${path}.resourceClaimName`;
  if (resourceClaimName === '') return [...errors, fieldError.required(at)];
  return [...errors, ...invalidAll(at, resourceClaimName, subdomainProblems(resourceClaimName))];
}

function validateMapping(
  { containerName, resourceName }: core.ContainerExtendedResourceRequest,
  container: core.Container | undefined,
  path: string,
): FieldError[] {
  if (container === undefined) {
    const detail = 'must match the name of an entry in spec.initContainers.name or spec.containers.name';
    return [fieldError.invalid(`${path}.containerName`, containerName, detail)];
  }
  if (container.resources?.requests?.[resourceName] !== undefined) return [];
  const detail =
    'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests';
  return [fieldError.invalid(`${path}.resourceName`, resourceName, detail)];
}

type Address = core.PodIP | core.HostIP;

function validateAddresses(
  addresses: readonly Address[] | undefined,
  struct: 'core.PodIP' | 'core.HostIP',
  path: string,
): FieldError[] {
  const ips = (addresses ?? []).map(({ ip = '' }) => ip);
  const errors = each(ips, path, (ip, at) => invalidAll(at, ip, ipProblems(ip)));
  if (ips.length < 2) return errors;
  const families = ips.map((ip) => (isMappedIp(ip) ? 4 : ipFamily(ip)));
  const broken = families.indexOf(undefined);
  if (broken >= 0) {
    const why = `invalid IP[${broken}]: ${ips[broken]}`;
    errors.push(fieldError.internal(path, `failed to check for dual stack with error:${why}`));
  }
  const isPair = broken < 0 && ips.length === 2 && families[0] !== families[1];
  if (isPair) return errors;
  const shown = addresses!.map((address) => goStruct(struct, address));
  return [...errors, fieldError.invalid(path, shown, 'may specify no more than one IP for each IP family')];
}

function validateHostAddresses({ hostIP = '', hostIPs = [] }: core.PodStatus): FieldError[] {
  const first = hostIPs[0];
  if (first === undefined) return [];
  const path = 'status.hostIPs';
  const ip = first.ip ?? '';
  return [
    ...(ip === hostIP ? [] : [fieldError.invalid(`${path}[0].ip`, ip, 'must be equal to `hostIP`')]),
    ...validateAddresses(hostIPs, 'core.HostIP', path),
  ];
}

function validateUsers(statuses: readonly core.ContainerStatus[] | undefined, path: string, os: string): FieldError[] {
  return each(statuses, path, ({ user }, at) => {
    if (user?.linux === undefined) return [];
    const place = `${at}.user.linux`;
    if (os === 'windows') return [fieldError.forbidden(place, 'cannot be set for a windows pod')];
    if (os !== 'linux') return [];
    return [
      ...validId(user.linux.uid, `${place}.uid`),
      ...validId(user.linux.gid, `${place}.gid`),
      ...each(user.linux.supplementalGroups, `${place}.supplementalGroups`, validId),
    ];
  });
}

/** KEP-4680: the health of devices that containers were given. */
function validateHealth(
  statuses: readonly core.ContainerStatus[] | undefined,
  containers: readonly core.Container[],
  path: string,
): FieldError[] {
  return each(statuses, path, ({ name, allocatedResourcesStatus }, place) => {
    const container = containers.find((one) => one.name === name);
    return each(allocatedResourcesStatus, `${place}.allocatedResourcesStatus`, (allocated, at) => {
      const ids = new Set<string>();
      return [
        ...(container === undefined ? [] : validateAllocated(allocated.name, container, `${at}.name`)),
        ...each(allocated.resources, `${at}.resources`, (resource, spot) => {
          const errors = validateHealthOf(resource, spot);
          const id = resource.resourceID;
          if (ids.has(id)) errors.push(fieldError.duplicate(`${spot}.resourceID`, id));
          ids.add(id);
          return errors;
        }),
      ];
    });
  });
}

function validateAllocated(name: string, { resources = {} }: core.Container, path: string): FieldError[] {
  if (name.startsWith('claim:')) {
    const known = (resources.claims ?? []).some(
      (claim) => name === `claim:${claim.name}${(claim.request ?? '') === '' ? '' : `/${claim.request}`}`,
    );
    const detail =
      "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
    return known ? [] : [fieldError.invalid(path, name, detail)];
  }
  const isRequested = resources.requests?.[name] !== undefined;
  return isRequested ? [] : [fieldError.invalid(path, name, "must match one of the container's resource requests")];
}

function validateHealthOf({ health = '', message }: core.ResourceHealth, path: string): FieldError[] {
  const errors = oneOf(health, ['Healthy', 'Unhealthy', 'Unknown'], `${path}.health`);
  if (message === '') errors.push(fieldError.required(`${path}.message`, 'must be non-empty if specified'));
  else if (message !== undefined && byteLength(message) > maximumHealthMessageBytes)
    errors.push(fieldError.tooLong(`${path}.message`, maximumHealthMessageBytes));
  return errors;
}
