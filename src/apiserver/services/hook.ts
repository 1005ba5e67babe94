import { randomInteger } from '#base/random.ts';
import { alignAddresses, keepAllocatedValues } from '#kinds/core/service/update.ts';
import { IPAddress, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import { type ApiError, fieldError, internalError, invalid, isReason } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Allocation, Registry, ResourceHook } from '../registry/registry.ts';
import { initializeFamilies } from './families.ts';
import { formatIpv4, type IpRange, inRange, parseIpRange, reservedForUsers } from './ip-range.ts';
import { allocateNodePorts, releasePorts } from './node-ports.ts';
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
    async allocate(registry, object, before, dryRun) {
      const service = object as unknown as MutableService;
      const old = before as ServiceObject | undefined;
      if (old !== undefined) keepAllocatedValues(service.spec, old.spec);
      alignAddresses(service.spec, old?.spec);
      initializeFamilies(service, old);
      const address = await allocateAddress(registry, range, service, old, dryRun);
      try {
        return both(address, await allocateNodePorts({ registry, ports, service, old, dryRun }));
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

/** An address for a service that is new, or that had none as an ExternalName; what it had goes when it becomes one. */
async function allocateAddress(
  registry: Registry,
  range: IpRange,
  service: MutableService,
  old: ServiceObject | undefined,
  dryRun: boolean,
): Promise<Allocation | undefined> {
  const { spec } = service;
  const hadNone = old === undefined || old.spec.type === 'ExternalName';
  if (spec.type === 'ExternalName') {
    const { clusterIP = '' } = old?.spec ?? {};
    if (hadNone || clusterIP === '' || clusterIP === 'None' || dryRun) return undefined;
    return { undo: async () => {}, done: () => releaseAddress(registry, clusterIP) };
  }
  if (!hadNone || spec.clusterIPs?.[0] === 'None') return undefined;
  const address =
    (spec.clusterIPs?.[0] ?? '') === ''
      ? await claimAny(registry, range, service, dryRun)
      : await claim(registry, range, service, dryRun);
  spec.clusterIP = address;
  spec.clusterIPs = [address];
  return dryRun ? undefined : { undo: () => releaseAddress(registry, address) };
}

/** The address that the service asks for. A dry run does not look whether it is free. */
async function claim(registry: Registry, range: IpRange, service: MutableService, dryRun: boolean): Promise<string> {
  const { clusterIPs = [] } = service.spec;
  const address = clusterIPs[0]!;
  const refuse = (problem: string): ApiError => {
    const detail = `failed to allocate IP ${address}: ${problem}`;
    return invalid(Service, service.metadata.name ?? '', [fieldError.invalid('spec.clusterIPs', clusterIPs, detail)]);
  };
  if (!inRange(range, address))
    throw refuse(
      dryRun
        ? `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`
        : 'the provided network does not match the current range',
    );
  if (!dryRun && !(await claimAddress(registry, address, service))) throw refuse('provided IP is already allocated');
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
  const name = JSON.stringify(service.metadata.name ?? '');
  throw internalError(`failed to allocate a serviceIP for Service ${name}: range is full`);
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

/** The label of claims that are made for services, and what it says. */
export const managedBy = 'ipaddress.kubernetes.io/managed-by';
export const allocator = 'ipallocator.k8s.io';

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
          [managedBy]: allocator,
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
