import { randomInteger } from '#base/random.ts';
import { Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject, ServicePort, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { ApiError, fieldError, invalid } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import type { Registry } from '../registry/registry.ts';

const firstPort = 30000;
const portCount = 2768;
/** Ports that automatic assignment leaves to users at first (KEP-3668). */
const reservedPorts = 86;

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
  if (
    spec.externalTrafficPolicy === 'Local' &&
    spec.type === 'LoadBalancer' &&
    (spec.healthCheckNodePort ?? 0) === 0 &&
    old.healthCheckNodePort !== undefined
  ) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

/** `kubectl` sends back the whole object when it changes a type: the old number does not count as asked for. */
function isOld(port: ServicePort, old: ServiceSpec): boolean {
  return (
    old.ports?.some(
      (candidate) => candidate.nodePort === port.nodePort && protocolOf(candidate) === protocolOf(port),
    ) ?? false
  );
}

/** Fills in missing node ports and refuses ones that another service has. */
export function allocateNodePorts(registry: Registry, service: Mutable<ServiceObject>): void {
  const { spec } = service;
  const needsHealthPort = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
  if (!needsHealthPort) delete spec.healthCheckNodePort;
  if (!wantsNodePorts(spec)) {
    if (spec.type !== 'LoadBalancer') return;
  }
  const taken = portsOfOthers(registry, service);
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if ((port.nodePort ?? 0) !== 0) checkPort(service, taken, index);
  }
  if (wantsNodePorts(spec)) {
    for (const port of spec.ports ?? []) {
      if ((port.nodePort ?? 0) === 0) port.nodePort = shared(spec, port) ?? freePort(registry, taken);
      taken.add(`${protocolOf(port)}/${port.nodePort}`);
    }
  }
  if (needsHealthPort && (spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = freePort(registry, taken);
}

/** The same port number over two protocols gets one node port. */
function shared(spec: Mutable<ServiceSpec>, port: Mutable<ServicePort>): number | undefined {
  const twin = spec.ports?.find(
    (other) => other.port === port.port && protocolOf(other) !== protocolOf(port) && (other.nodePort ?? 0) !== 0,
  );
  return twin?.nodePort;
}

function checkPort(service: Mutable<ServiceObject>, taken: ReadonlySet<string>, index: number): void {
  const port = service.spec.ports![index]!;
  const number = port.nodePort!;
  const path = `spec.ports[${index}].nodePort`;
  const refuse = (detail: string): ApiError =>
    invalid(Service, service.metadata.name ?? '', [fieldError.invalid(path, number, detail)]);
  if (number < firstPort || number >= firstPort + portCount)
    throw refuse(
      `provided port is not in the valid range. The range of valid ports is ${firstPort}-${firstPort + portCount - 1}`,
    );
  if (taken.has(`${protocolOf(port)}/${number}`)) throw refuse('provided port is already allocated');
}

function portsOfOthers(registry: Registry, { metadata }: Mutable<ServiceObject>): Set<string> {
  const taken = new Set<string>();
  for (const { value } of registry.resources.of(Service).storage!.cache.entries()) {
    const other = value.object as ServiceObject;
    if (other.metadata.name === metadata.name && other.metadata.namespace === metadata.namespace) continue;
    for (const port of other.spec.ports ?? [])
      if (port.nodePort !== undefined) taken.add(`${protocolOf(port)}/${port.nodePort}`);
    if (other.spec.healthCheckNodePort !== undefined) taken.add(`TCP/${other.spec.healthCheckNodePort}`);
  }
  return taken;
}

/** A number that no protocol uses, at random from the upper band, then from anywhere. */
function freePort(registry: Registry, taken: ReadonlySet<string>): number {
  const isFree = (port: number): boolean =>
    !['TCP', 'UDP', 'SCTP'].some((protocol) => taken.has(`${protocol}/${port}`));
  const start = randomInteger(registry.environment.random, portCount - reservedPorts);
  for (let step = 0; step < portCount - reservedPorts; step++) {
    const port = firstPort + reservedPorts + ((start + step) % (portCount - reservedPorts));
    if (isFree(port)) return port;
  }
  for (let port = firstPort; port < firstPort + reservedPorts; port++) if (isFree(port)) return port;
  throw new ApiError(500, 'InternalError', 'Internal error occurred: failed to allocate a nodePort: range is full');
}
