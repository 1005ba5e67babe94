import type { Client } from '#client/client.ts';
import { type Controller, defineController, done } from '#client/controller.ts';
import { keyOf } from '#client/object-key.ts';
import { Service } from '#kinds/generated/handles.ts';
import type { LoadBalancerIngress, Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';

export interface LoadBalancerOptions {
  /** The machine's address, at which every service of type LoadBalancer answers. */
  readonly address: string;
  /** TCP ports that services may not take, for example the API server's: the machine would lock itself out. */
  readonly reservedPorts: readonly number[];
}

/**
 * Gives services of type LoadBalancer the machine's address, as a cloud would give them one of its own. Since there is
 * only one, the first service to ask for a port has it, and others wait until it is free. Services with a
 * `loadBalancerClass` are left to whoever serves that class.
 */
export function loadBalancerController(options: LoadBalancerOptions): Controller {
  return defineController({
    name: 'service-controller',
    setup({ watch, enqueue, events }) {
      const services = watch(Service, (service) => [keyOf(service)]);
      const waiting = new Set<string>();
      const held = new Map<string, string>();
      /** Remembers which ports a service holds; those that wait for one look again when it lets go of any. */
      const hold = (key: string, ports: string): void => {
        const before = held.get(key) ?? '';
        if (ports === '') held.delete(key);
        else held.set(key, ports);
        if (before === '' || before === ports) return;
        for (const other of waiting) enqueue(other);
      };
      return async (key, { client, signal }) => {
        const service = services.getByKey(key);
        if (service === undefined || !needsBalancer(service)) {
          waiting.delete(key);
          if (service !== undefined) await release(service, client, signal);
          hold(key, '');
          return done;
        }
        const obstacle = obstacleOf(service, services.list(), options);
        if (obstacle !== undefined) {
          const note = { type: 'Warning', reason: 'SyncLoadBalancerFailed', message: obstacle } as const;
          if (!waiting.has(key)) events.record(Service, service, note);
          waiting.add(key);
          await release(service, client, signal);
          hold(key, '');
          return done;
        }
        waiting.delete(key);
        if (await setIngress(service, [{ ip: options.address, ipMode: 'VIP' }], client, signal)) {
          const note = { type: 'Normal', reason: 'EnsuredLoadBalancer', message: 'Ensured load balancer' } as const;
          events.record(Service, service, note);
        }
        hold(key, portsOf(service).join());
        return done;
      };
    },
  });
}

/** Takes the address back, unless it is another class's to give. */
async function release(service: ServiceObject, client: Client, signal: AbortSignal): Promise<void> {
  if (service.spec?.loadBalancerClass === undefined) await setIngress(service, [], client, signal);
}

/** Resolves with whether there was anything to change. */
async function setIngress(
  service: ServiceObject,
  ingress: readonly LoadBalancerIngress[],
  client: Client,
  signal: AbortSignal,
): Promise<boolean> {
  if (JSON.stringify(service.status?.loadBalancer?.ingress ?? []) === JSON.stringify(ingress)) return false;
  const loadBalancer = ingress.length === 0 ? {} : { ingress };
  await client.updateStatus(Service, { ...service, status: { ...service.status, loadBalancer } }, { signal });
  return true;
}

function needsBalancer({ metadata, spec }: ServiceObject): boolean {
  return (
    spec?.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined
  );
}

function portsOf({ spec }: ServiceObject): readonly string[] {
  return (spec?.ports ?? []).map(({ port, protocol = 'TCP' }) => `${protocol} ${port}`);
}

/** Why the service cannot have the address now, in words for its user. */
function obstacleOf(
  service: ServiceObject,
  all: Iterable<ServiceObject>,
  { address, reservedPorts }: LoadBalancerOptions,
): string | undefined {
  const wanted = new Set(portsOf(service));
  const reserved = reservedPorts.find((port) => wanted.has(`TCP ${port}`));
  if (reserved !== undefined) return `port ${reserved} of ${address} is in use by the machine itself`;
  for (const other of all) {
    if (keyOf(other) === keyOf(service) || !needsBalancer(other)) continue;
    const holds = other.status?.loadBalancer?.ingress?.some(({ ip }) => ip === address) ?? false;
    const clash = holds ? portsOf(other).find((port) => wanted.has(port)) : undefined;
    if (clash !== undefined) return `port ${clash.split(' ')[1]} of ${address} is in use by service ${keyOf(other)}`;
  }
  return undefined;
}
