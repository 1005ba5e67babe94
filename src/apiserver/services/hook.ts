import { randomInteger } from '#base/random.ts';
import { IPAddress, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import { ApiError, fieldError, invalid, isReason } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Allocation, Registry, ResourceHook } from '../registry/registry.ts';
import { formatIpv4, type IpRange, inRange, parseIpRange, reservedForUsers } from './ip-range.ts';
import { allocateNodePorts, keepNodePorts, releasePorts } from './node-ports.ts';
import { nodePortsOf, type PortAllocations } from './port-allocations.ts';

type MutableService = Mutable<ServiceObject>;

/** Random tries before the range is searched from its start. */
const randomAttempts = 32;

export interface ServiceRanges {
  /** IPv4 range of cluster addresses. */
  readonly cidr: string;
  readonly ports: PortAllocations;
}

/** Gives services their cluster addresses and node ports, and takes them back. */
export function serviceHook({ cidr, ports }: ServiceRanges): ResourceHook {
  const range = parseIpRange(cidr);
  return {
    prepare: (object, old) => prepare(object as unknown as MutableService, old as ServiceObject | undefined),
    async allocate(registry, object, before, dryRun) {
      const service = object as unknown as MutableService;
      const old = before as ServiceObject | undefined;
      const write = { registry, ports, service, old, dryRun };
      const address = await allocateAddress(registry, range, service, old, dryRun);
      try {
        return both(address, await allocateNodePorts(write));
      } catch (error) {
        await address?.undo();
        throw error;
      }
    },
    async afterDelete(registry, object) {
      const { clusterIP } = (object as ServiceObject).spec;
      if (clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None')
        await releaseAddress(registry, clusterIP);
      await releasePorts(registry, ports, nodePortsOf(object as ServiceObject));
    },
  };
}

function both(first: Allocation | undefined, second: Allocation | undefined): Allocation | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    async undo() {
      await second.undo();
      await first.undo();
    },
    async done() {
      await first.done?.();
      await second.done?.();
    },
  };
}

/** What an update leaves out stays as it was; what the new type has no use for goes. */
function prepare(service: MutableService, old: ServiceObject | undefined): void {
  const { spec } = service;
  if (spec.type === 'ExternalName') {
    for (const field of [
      'clusterIP',
      'clusterIPs',
      'ipFamilies',
      'ipFamilyPolicy',
      'internalTrafficPolicy',
      'allocateLoadBalancerNodePorts',
    ] as const) {
      if (field !== 'clusterIP' || spec.clusterIP !== 'None') delete spec[field];
    }
    return;
  }
  if (old !== undefined && old.spec.type !== 'ExternalName') {
    if ((spec.clusterIP ?? '') === '' && (spec.clusterIPs ?? []).length === 0) {
      if (old.spec.clusterIP !== undefined) spec.clusterIP = old.spec.clusterIP;
      if (old.spec.clusterIPs !== undefined) spec.clusterIPs = [...old.spec.clusterIPs];
    }
    keepNodePorts(spec, old.spec);
    spec.ipFamilies ??= [...(old.spec.ipFamilies ?? ['IPv4'])];
    spec.ipFamilyPolicy ??= old.spec.ipFamilyPolicy ?? 'SingleStack';
  }
  if ((spec.clusterIP ?? '') === '' && spec.clusterIPs?.[0] !== undefined) spec.clusterIP = spec.clusterIPs[0];
  if ((spec.clusterIP ?? '') !== '' && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP!];
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
}

async function allocateAddress(
  registry: Registry,
  range: IpRange,
  service: MutableService,
  old: ServiceObject | undefined,
  dryRun: boolean,
): Promise<Allocation | undefined> {
  const { spec } = service;
  const before = old?.spec.clusterIP ?? '';
  if (spec.type === 'ExternalName') {
    if (before === '' || before === 'None' || dryRun) return undefined;
    return { undo: async () => {}, done: () => releaseAddress(registry, before) };
  }
  if (spec.clusterIP === 'None' || (spec.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP === before))
    return undefined;
  const address =
    (spec.clusterIP ?? '') === ''
      ? await claimAny(registry, range, service, dryRun)
      : await claim(registry, range, service, dryRun);
  spec.clusterIP = address;
  spec.clusterIPs = [address];
  return dryRun ? undefined : { undo: () => releaseAddress(registry, address) };
}

/** The address that the service asks for. */
async function claim(registry: Registry, range: IpRange, service: MutableService, dryRun: boolean): Promise<string> {
  const address = service.spec.clusterIP!;
  const refuse = (detail: string): ApiError =>
    invalid(Service, service.metadata.name ?? '', [fieldError.invalid('spec.clusterIPs', [address], detail)]);
  if (!inRange(range, address))
    throw refuse(
      `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`,
    );
  if (!(await tryClaim(registry, address, service, dryRun)))
    throw refuse(`failed to allocate IP ${address}: provided IP is already allocated`);
  return address;
}

/** A free address: at random from the upper part of the range, then whatever is left. */
async function claimAny(registry: Registry, range: IpRange, service: MutableService, dryRun: boolean): Promise<string> {
  const { random } = registry.environment;
  const reserved = reservedForUsers(range);
  const last = range.size - 1;
  for (let attempt = 0; attempt < randomAttempts; attempt++) {
    const offset = reserved + 1 + randomInteger(random, Math.max(1, last - reserved - 1));
    if (offset >= last) continue;
    const address = formatIpv4(range.first + offset);
    if (await tryClaim(registry, address, service, dryRun)) return address;
  }
  for (let step = 1; step < last; step++) {
    const offset = 1 + ((reserved + step - 1) % (last - 1));
    const address = formatIpv4(range.first + offset);
    if (await tryClaim(registry, address, service, dryRun)) return address;
  }
  throw new ApiError(500, 'InternalError', `Internal error occurred: failed to allocate a serviceIP: range is full`);
}

async function tryClaim(
  registry: Registry,
  address: string,
  service: MutableService,
  dryRun: boolean,
): Promise<boolean> {
  return dryRun ? !isClaimed(registry, address) : claimAddress(registry, address, service);
}

function isClaimed({ resources }: Registry, address: string): boolean {
  return resources.of(IPAddress).storage!.cache.get(address) !== undefined;
}

/** An IPAddress object is the claim: the store lets only one server make it (KEP-1880). False when there is one. */
export async function claimAddress(
  registry: Registry,
  address: string,
  { metadata }: ServiceObject | MutableService,
): Promise<boolean> {
  if (isClaimed(registry, address)) return false;
  try {
    await registry.loopback().create(IPAddress, {
      metadata: {
        name: address,
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: {
        parentRef: { group: '', resource: 'services', namespace: metadata.namespace ?? '', name: metadata.name ?? '' },
      },
    });
    return true;
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) return false;
    throw error;
  }
}

async function releaseAddress(registry: Registry, address: string): Promise<void> {
  try {
    await registry.loopback().delete(IPAddress, { name: address });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
  }
}
