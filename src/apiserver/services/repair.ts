import { passed } from '#base/clock.ts';
import { IPAddress, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import type { IPAddress as IPAddressObject } from '#kinds/generated/types/networking_v1.ts';
import { isReason } from '#machinery/errors.ts';
import type { Registry } from '../registry/registry.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { allocator, claimAddress, managedBy } from './hook.ts';
import { type PortAllocations, usedPorts } from './port-allocations.ts';

/** Upstream's intervals: how often is looked, how old a claim must be, how often a port must be found unused. */
const intervalMs = 3 * 60_000;
const graceMs = 60_000;
const roundsBeforeRelease = 3;

/**
 * Finds what a server that died between two writes has left behind: addresses and ports that no service has are free
 * again, and those that a service has are taken.
 */
export class ServiceRepair {
  readonly #registry: Registry;
  readonly #ports: PortAllocations;
  /** In how many rounds a port was found taken and unused. */
  #unused = new Map<number, number>();

  constructor(registry: Registry, ports: PortAllocations) {
    this.#registry = registry;
    this.#ports = ports;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#registry.environment;
    while (await passed(clock, intervalMs, signal)) {
      try {
        await this.round();
      } catch (error) {
        log.warn('cannot repair the addresses of services', { message: String(error) });
      }
    }
  }

  /** Looks once. */
  async round(): Promise<void> {
    await this.#repairPorts();
    await this.#releaseAddresses();
    for (const service of this.#services()) await this.#claimAgain(service);
  }

  async #repairPorts(): Promise<void> {
    const used = usedPorts(this.#registry);
    const leaks = new Map<number, number>();
    await this.#ports.change(this.#registry, (taken) => {
      leaks.clear();
      for (const port of used) if (taken.isInRange(port)) taken.take(port);
      for (const port of taken) {
        if (used.has(port)) continue;
        const rounds = (this.#unused.get(port) ?? 0) + 1;
        if (rounds < roundsBeforeRelease) leaks.set(port, rounds);
        else taken.release(port);
      }
    });
    this.#unused = leaks;
  }

  async #releaseAddresses(): Promise<void> {
    const { resources, environment } = this.#registry;
    const services = resources.of(Service).storage!.cache;
    for (const { value } of [...resources.of(IPAddress).storage!.cache.entries()]) {
      const { metadata, spec } = value.object as IPAddressObject;
      // What others have claimed is theirs.
      if (metadata.labels?.[managedBy] !== allocator) continue;
      const { namespace = '', name = '' } = spec?.parentRef ?? {};
      if (environment.clock.now() - Date.parse(metadata.creationTimestamp ?? '') < graceMs) continue;
      const parent = services.get(objectKey({ namespace, name }))?.value.object as ServiceObject | undefined;
      if (parent?.spec.clusterIPs?.includes(metadata.name ?? '') === true) continue;
      const preconditions = metadata.uid === undefined ? {} : { preconditions: { uid: metadata.uid } };
      await this.#registry
        .loopback()
        .delete(IPAddress, { name: metadata.name ?? '' }, preconditions)
        .catch((error: unknown) => {
          if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
        });
    }
  }

  *#services(): Generator<ServiceObject> {
    for (const { value } of this.#registry.resources.of(Service).storage!.cache.entries())
      yield value.object as ServiceObject;
  }

  async #claimAgain(service: ServiceObject): Promise<void> {
    const { clusterIP = '' } = service.spec;
    if (clusterIP === '' || clusterIP === 'None') return;
    await claimAddress(this.#registry, clusterIP, service);
  }
}
