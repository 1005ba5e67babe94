import { Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import { internalError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { StoredEntry } from '#storage/store.ts';
import { StoredObject } from '../cache/stored-object.ts';
import type { Registry } from '../registry/registry.ts';
import { formatPortRange, type PortRange, TakenPorts } from './port-range.ts';

/** Where upstream keeps what all servers have handed out: a RangeAllocation. */
const key = '/registry/ranges/servicenodeports';
/** How often other servers may be faster. */
const maxAttempts = 32;

interface RangeAllocation extends ApiObject {
  readonly range: string;
  /** Base64 of the bitmap. */
  readonly data?: string;
}

/**
 * Node ports that services have. What is taken is one value in the store, changed by compare-and-swap: two servers, or
 * two requests, never hand out the same port.
 */
export class PortAllocations {
  readonly range: PortRange;
  /** Requests of this server take turns; only other servers make one try again. */
  #last: Promise<void> = Promise.resolve();

  constructor(range: PortRange) {
    this.range = range;
  }

  /**
   * Runs `change` on what is taken and stores what it did. It is run again when somebody else was faster.
   * @param dryRun nothing is stored
   * @throws what `change` throws
   */
  change<T>(registry: Registry, change: (taken: TakenPorts) => T, dryRun = false): Promise<T> {
    const result = this.#last.then(() => this.#change(registry, change, dryRun));
    this.#last = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  async #change<T>(registry: Registry, change: (taken: TakenPorts) => T, dryRun: boolean): Promise<T> {
    const { store } = registry;
    let current = await store.get(key);
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const taken = this.#read(registry, current);
      const before = taken.encode();
      const result = change(taken);
      const data = taken.encode();
      if (dryRun || (current !== undefined && data === before)) return result;
      const written = await store.commit({
        key,
        expectedRevision: current?.modRevision ?? 0,
        value: () => StoredObject.ofObject(this.#object(data)),
      });
      if (written.outcome === 'committed') return result;
      current = written.current;
    }
    throw internalError('failed to allocate a nodePort: too many servers allocate at once');
  }

  #object(data: string): ApiObject {
    const range = formatPortRange(this.range);
    const object: RangeAllocation = { apiVersion: 'v1', kind: 'RangeAllocation', metadata: {}, range, data };
    return object;
  }

  /** What the store says; where it says nothing, or speaks of another range, what the services say. */
  #read(registry: Registry, entry: StoredEntry | undefined): TakenPorts {
    const stored = entry === undefined ? undefined : (StoredObject.of(entry.value).object as RangeAllocation);
    if (stored?.range === formatPortRange(this.range)) return TakenPorts.decode(this.range, stored.data ?? '');
    const taken = TakenPorts.none(this.range);
    for (const port of usedPorts(registry)) if (taken.isInRange(port)) taken.take(port);
    return taken;
  }
}

/** Node ports of all services. */
export function usedPorts(registry: Registry): ReadonlySet<number> {
  const used = new Set<number>();
  for (const { value } of registry.resources.of(Service).storage!.cache.entries())
    for (const port of nodePortsOf(value.object as ServiceObject)) used.add(port);
  return used;
}

export function nodePortsOf({ spec }: ServiceObject): readonly number[] {
  const ports = (spec.ports ?? []).map(({ nodePort = 0 }) => nodePort);
  return [...ports, spec.healthCheckNodePort ?? 0].filter((port) => port !== 0);
}
