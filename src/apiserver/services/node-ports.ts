import { Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject, ServicePort, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { ApiError, fieldError, internalError, invalid } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Allocation, Registry } from '../registry/registry.ts';
import { nodePortsOf, type PortAllocations } from './port-allocations.ts';
import { formatPortRange, type TakenPorts } from './port-range.ts';

type MutableService = Mutable<ServiceObject>;

const protocolOf = ({ protocol = 'TCP' }: { readonly protocol?: string }): string => protocol;

export function wantsNodePorts({
  type,
  allocateLoadBalancerNodePorts,
}: Pick<ServiceSpec, 'type' | 'allocateLoadBalancerNodePorts'>): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

/** Ports that an update does not mention keep their number. */
export function keepNodePorts(spec: Mutable<ServiceSpec>, old: ServiceSpec): void {
  if (!wantsNodePorts(spec)) {
    if (spec.type === 'ClusterIP' && wantsNodePorts(old))
      for (const port of spec.ports ?? []) if (isOld(port, old)) delete port.nodePort;
    return;
  }
  for (const port of spec.ports ?? []) {
    if ((port.nodePort ?? 0) !== 0) continue;
    const before = old.ports?.find(
      (candidate) => candidate.port === port.port && protocolOf(candidate) === protocolOf(port),
    );
    if (before?.nodePort !== undefined) port.nodePort = before.nodePort;
  }
  if (needsHealthPort(spec) && (spec.healthCheckNodePort ?? 0) === 0 && old.healthCheckNodePort !== undefined)
    spec.healthCheckNodePort = old.healthCheckNodePort;
}

/** `kubectl` sends back the whole object when it changes a type: the old number does not count as asked for. */
function isOld(port: ServicePort, old: ServiceSpec): boolean {
  return (
    old.ports?.some(
      (candidate) => candidate.nodePort === port.nodePort && protocolOf(candidate) === protocolOf(port),
    ) ?? false
  );
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
  if (!needsHealthPort(spec)) delete spec.healthCheckNodePort;
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
        const taking = new Taking(write, taken, before);
        taking.ports();
        spec.healthCheckNodePort = asked.health;
        taking.healthPort();
        if (spec.healthCheckNodePort === undefined) delete spec.healthCheckNodePort;
        return taking.added;
      },
      dryRun,
    );
  }
  const after = new Set(nodePortsOf(service));
  const dropped = [...before].filter((port) => !after.has(port));
  if (dryRun || (added.length === 0 && dropped.length === 0)) return undefined;
  return {
    undo: () => releasePorts(registry, ports, added),
    done: () => releasePorts(registry, ports, dropped),
  };
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

/** What one attempt takes. */
class Taking {
  readonly added: number[] = [];
  readonly #write: PortWrite;
  readonly #taken: TakenPorts;
  readonly #before: ReadonlySet<number>;

  constructor(write: PortWrite, taken: TakenPorts, before: ReadonlySet<number>) {
    this.#write = write;
    this.#taken = taken;
    this.#before = before;
  }

  ports(): void {
    const { spec } = this.#write.service;
    // One number serves the same port over several protocols.
    const byPort = new Map<number, number>();
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if ((port.nodePort ?? 0) === 0 && !wantsNodePorts(spec)) continue;
      const known = byPort.get(port.port);
      if ((port.nodePort ?? 0) === 0) port.nodePort = known ?? this.#askedFor(port.port) ?? 0;
      if (port.nodePort === 0) port.nodePort = this.#free('nodePort');
      else if (port.nodePort !== known) this.#claim(port.nodePort!, index);
      byPort.set(port.port, port.nodePort!);
    }
  }

  healthPort(): void {
    const { spec } = this.#write.service;
    if (!needsHealthPort(spec)) return;
    const { old } = this.#write;
    if (old !== undefined && needsHealthPort(old.spec) && (spec.healthCheckNodePort ?? 0) !== 0) return;
    const asked = spec.healthCheckNodePort ?? 0;
    if (asked === 0) {
      spec.healthCheckNodePort = this.#free('HealthCheck NodePort');
      return;
    }
    const problem = this.#problemOf(asked);
    if (problem !== undefined)
      throw new ApiError(500, '', `failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`);
    this.#add(asked);
  }

  /** A number that the service gives to the same port further on. */
  #askedFor(port: number): number | undefined {
    return this.#write.service.spec.ports?.find((other) => other.port === port && (other.nodePort ?? 0) !== 0)
      ?.nodePort;
  }

  #claim(number: number, index: number): void {
    if (this.#before.has(number)) return;
    const isUpdate = this.#write.old !== undefined;
    if (isUpdate && this.added.includes(number)) return;
    const problem = this.#problemOf(number);
    if (problem === undefined) return this.#add(number);
    const name = this.#write.service.metadata.name ?? '';
    throw invalid(Service, name, [fieldError.invalid(`spec.ports[${index}].nodePort`, number, problem)]);
  }

  #problemOf(number: number): string | undefined {
    if (!this.#taken.isInRange(number))
      return `provided port is not in the valid range. The range of valid ports is ${formatPortRange(this.#write.ports.range)}`;
    return this.#taken.has(number) ? 'provided port is already allocated' : undefined;
  }

  #free(what: string): number {
    const number = this.#taken.free(this.#write.registry.environment);
    if (number === undefined) throw internalError(`failed to allocate a ${what}: range is full`);
    this.#add(number);
    return number;
  }

  #add(number: number): void {
    this.#taken.take(number);
    this.added.push(number);
  }
}
