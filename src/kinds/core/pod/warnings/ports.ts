import type { ContainerPort } from '#kinds/generated/types/core_v1.ts';
import type { PlacedContainer } from './containers.ts';

interface PlacedPort {
  readonly port: ContainerPort;
  readonly path: string;
}

/** Ports of a pod's containers that get in each other's way. */
export function portWarnings(containers: readonly PlacedContainer[]): string[] {
  const ports = containers.flatMap(([container, path]) =>
    (container.ports ?? []).map((port, index): PlacedPort => ({ port, path: `${path}.ports[${index}]` })),
  );
  const known = new Map<string, PlacedPort[]>();
  const warnings: string[] = [];
  for (const placed of ports) {
    const { port, path } = placed;
    if ((port.hostIP ?? '') !== '' && (port.hostPort ?? 0) === 0)
      warnings.push(`${path}: hostIP set without hostPort: ${asGo(port)}`);
    const key = `${port.containerPort}/${port.protocol}`;
    const others = known.get(key) ?? [];
    known.set(key, others);
    for (const other of others) {
      const how = conflictOf(port, other.port);
      if (how !== undefined) warnings.push(`${path}: ${how} port definition with ${other.path}`);
    }
    others.push(placed);
  }
  return [...warnings, ...nameWarnings(ports)];
}

function conflictOf(
  { hostIP = '', hostPort = 0 }: ContainerPort,
  { hostIP: otherIp = '', hostPort: otherPort = 0 }: ContainerPort,
): string | undefined {
  if (hostIP === otherIp && hostPort === otherPort) return 'duplicate';
  if (hostPort === 0 || otherPort === 0) return 'overlapping';
  const isOneOpen = (hostIP === '') !== (otherIp === '');
  return hostPort === otherPort && isOneOpen ? 'dangerously ambiguous' : undefined;
}

function nameWarnings(ports: readonly PlacedPort[]): string[] {
  const paths = new Map<string, string>();
  const warnings: string[] = [];
  for (const {
    port: { name = '' },
    path,
  } of ports) {
    const first = paths.get(name);
    if (name === '') continue;
    if (first === undefined) paths.set(name, path);
    else {
      const users = `services and probes that select ports by name will use ${first}`;
      warnings.push(`${path}: duplicate port name ${JSON.stringify(name)} with ${first}, ${users}`);
    }
  }
  return warnings;
}

/** As upstream shows the struct that it holds. */
function asGo({ name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' }: ContainerPort): string {
  const fields = { Name: name, HostPort: hostPort, ContainerPort: containerPort, Protocol: protocol, HostIP: hostIP };
  const shown = Object.entries(fields).map(([field, value]) => `${field}:${value}`);
  return `{${shown.join(' ')}}`;
}
