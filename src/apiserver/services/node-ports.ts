import { Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject, ServicePort, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { ApiError, fieldError, internalError, invalid } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Allocation, Registry } from '../registry/registry.ts';
import { nodePortsOf, type PortAllocations } from './port-allocations.ts';
import { formatPortRange, type TakenPorts } from './port-range.ts';

type MutableService = Mutable<ServiceObject>;

function wantsNodePorts({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

const needsHealthPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

/** One write of a service: what it takes at once, and gives back when it is stored or refused. */
export interface PortWrite {
  readonly registry: Registry;
  readonly ports: PortAllocations;
  readonly service: MutableService;
  readonly old: ServiceObject | undefined;
  readonly dryRun: boolean;
}

/**
 * Fills in missing node ports and takes those that the service asks for. A number is one service's, over whatever
 * protocols; what a service does not need any more is free once the write is stored.
 */
export async function allocateNodePorts(write: PortWrite): Promise<Allocation | undefined> {
  const { registry, ports, service, old, dryRun } = write;
  const { spec } = service;
  const before = new Set(old === undefined ? [] : nodePortsOf(old));
  const mayHavePorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (before.size === 0 && !mayHavePorts) return undefined;
  const asked = structuredClone({ ports: spec.ports ?? [], health: spec.healthCheckNodePort });
  let added: readonly number[] = [];
  if (mayHavePorts) {
    added = await ports.change(
      registry,
      (taken) => {
        // A second attempt begins with what the client asked for, not with what the first one found.
        for (const [index, port] of (spec.ports ?? []).entries()) setPort(port, asked.ports[index]?.nodePort);
        if (asked.health === undefined) delete spec.healthCheckNodePort;
        else spec.healthCheckNodePort = asked.health;
        const taking = new Taking(write, taken);
        if (old === undefined) taking.portsOfNew();
        else taking.portsOfChanged(old);
        taking.healthPort();
        return taking.added;
      },
      dryRun,
    );
  }
  if (dryRun) return undefined;
  const after = new Set(keptPorts(spec));
  const dropped = [...before].filter((port) => !after.has(port));
  if (added.length === 0 && dropped.length === 0) return undefined;
  return {
    undo: () => releasePorts(registry, ports, added),
    done: () => releasePorts(registry, ports, dropped),
  };
}

/** Ports that a service of this type has; others may still stand in it, and are for validation to judge. */
function keptPorts(spec: ServiceSpec): readonly number[] {
  const mayHavePorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  const ports = mayHavePorts ? (spec.ports ?? []).map(({ nodePort = 0 }) => nodePort) : [];
  return needsHealthPort(spec) ? [...ports, spec.healthCheckNodePort ?? 0] : ports;
}

export async function releasePorts(
  registry: Registry,
  ports: PortAllocations,
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return;
  await ports.change(registry, (taken) => {
    for (const number of numbers) taken.release(number);
  });
}

function setPort(port: Mutable<ServicePort>, nodePort: number | undefined): void {
  if (nodePort === undefined) delete port.nodePort;
  else port.nodePort = nodePort;
}

/** What a dry run gives out first: the number after the usual range. */
const firstImagined = 32768;

/** What one attempt takes. */
class Taking {
  readonly added: number[] = [];
  readonly #write: PortWrite;
  readonly #taken: TakenPorts;

  constructor(write: PortWrite, taken: TakenPorts) {
    this.#write = write;
    this.#taken = taken;
  }

  /** One number serves the same port over several protocols. */
  portsOfNew(): void {
    const { spec } = this.#write.service;
    const byPort = new Map<number, number>();
    for (const [index, port] of (spec.ports ?? []).entries()) {
      const { nodePort = 0 } = port;
      if (nodePort === 0 && !wantsNodePorts(spec)) continue;
      const known = byPort.get(port.port);
      if (known === undefined) {
        port.nodePort = this.#claimedFor(port.port, index) ?? this.#free('nodePort');
        byPort.set(port.port, port.nodePort);
      } else if (nodePort === 0) port.nodePort = known;
      else if (nodePort !== known) this.#claim(nodePort, index);
    }
  }

  /** Numbers that the service has already are its own. */
  portsOfChanged(old: ServiceObject): void {
    const { spec } = this.#write.service;
    const before = new Set((old.spec.ports ?? []).map(({ nodePort = 0 }) => nodePort));
    const claimed = new Set<number>();
    const seen = new Set<string>();
    for (const [index, port] of (spec.ports ?? []).entries()) {
      const { nodePort = 0, protocol = '' } = port;
      if (nodePort === 0 && !wantsNodePorts(spec)) continue;
      if (nodePort === 0) port.nodePort = this.#free('nodePort');
      else if (!before.has(nodePort) && !claimed.has(nodePort)) {
        this.#claim(nodePort, index);
        claimed.add(nodePort);
      }
      const key = `{${protocol} ${port.nodePort}}`;
      if (seen.has(key)) throw new ApiError(500, '', `duplicate nodePort: ${key}`);
      seen.add(key);
    }
  }

  healthPort(): void {
    const { service, old } = this.#write;
    const { spec } = service;
    if (!needsHealthPort(spec) || (old !== undefined && needsHealthPort(old.spec))) return;
    const asked = spec.healthCheckNodePort ?? 0;
    if (asked === 0) {
      spec.healthCheckNodePort = this.#free('HealthCheck NodePort');
      return;
    }
    const problem = this.#problemOf(asked);
    if (problem !== undefined)
      throw internalError(`failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`);
    this.#add(asked);
  }

  /** The number that the service asks for, here or further on, for this port. */
  #claimedFor(port: number, index: number): number | undefined {
    const asked = this.#write.service.spec.ports?.find((other) => other.port === port && (other.nodePort ?? 0) !== 0);
    if (asked !== undefined) this.#claim(asked.nodePort!, index);
    return asked?.nodePort;
  }

  #claim(number: number, index: number): void {
    const problem = this.#problemOf(number);
    if (problem === undefined) return this.#add(number);
    const name = this.#write.service.metadata.name ?? '';
    throw invalid(Service, name, [fieldError.invalid(`spec.ports[${index}].nodePort`, number, problem)]);
  }

  /** A dry run does not look whether the number is one that services may have. */
  #problemOf(number: number): string | undefined {
    const isInRange = this.#taken.isInRange(number);
    if (!isInRange && !this.#write.dryRun)
      return `provided port is not in the valid range. The range of valid ports is ${formatPortRange(this.#write.ports.range)}`;
    const isTaken = isInRange ? this.#taken.has(number) : this.added.includes(number);
    return isTaken ? 'provided port is already allocated' : undefined;
  }

  #free(what: string): number {
    if (this.#write.dryRun) return this.#imagined();
    const number = this.#taken.free(this.#write.registry.environment);
    if (number === undefined) throw internalError(`failed to allocate a ${what}: range is full`);
    this.#add(number);
    return number;
  }

  /** In a dry run, the next number after those of this write, or after the usual range. */
  #imagined(): number {
    const number = this.added.length === 0 ? firstImagined : Math.max(...this.added) + 1;
    this.#add(number);
    return number;
  }

  #add(number: number): void {
    if (this.#taken.isInRange(number)) this.#taken.take(number);
    this.added.push(number);
  }
}
