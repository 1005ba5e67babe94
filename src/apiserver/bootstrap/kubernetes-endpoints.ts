import { passed, sleep } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { EndpointSlice, Endpoints } from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { ApiServer } from '../server.ts';
import { type ServerAddress, ServerLeases } from './server-leases.ts';

const name = 'kubernetes';
const namespace = 'default';
/** How often a server says that it lives, and looks who else does (upstream's `DefaultEndpointReconcilerInterval`). */
const intervalMs = 10_000;
const withdrawLimitMs = 2_000;

/**
 * Keeps the endpoints of the `kubernetes` service true: the addresses of all servers on this store that live. They tell
 * each other by leases in the store, as upstream's lease reconciler has it, so that official servers count, too; a store
 * that nobody shares knows of this server only.
 */
export class PublishedServer {
  readonly #server: ApiServer;
  readonly #address: ServerAddress;
  readonly #leases: ServerLeases | undefined;

  constructor(server: ApiServer, address: ServerAddress) {
    this.#server = server;
    this.#address = address;
    const { store } = server.registry;
    this.#leases = store.expires === true ? new ServerLeases(store, address) : undefined;
  }

  /** Publishes this server; what fails is told to the log, and tried again by `run`. */
  async publish(): Promise<void> {
    try {
      await this.#leases?.renew();
      await this.#reconcile((await this.#leases?.alive()) ?? [this.#address]);
    } catch (error) {
      this.#server.environment.log.warn('cannot publish the address of this server', { message: String(error) });
    }
  }

  /** Goes on publishing until the signal aborts, then leaves the others alone. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#server.environment;
    while (await passed(clock, intervalMs, signal)) await this.publish();
  }

  /** Takes this server out before it ends. The last one stays: without it the service would lead nowhere at the next start. */
  async withdraw(): Promise<void> {
    const leases = this.#leases;
    if (leases === undefined) return;
    const { clock, log } = this.#server.environment;
    const leave = async (): Promise<void> => {
      await leases.remove();
      const others = await leases.alive();
      if (others.length > 0) await this.#reconcile(others);
    };
    const left = leave().catch((error: unknown) =>
      log.warn('cannot take back the address of this server', { message: String(error) }),
    );
    // A store that does not answer lets the lease run out just as well.
    await Promise.race([left, sleep(clock, withdrawLimitMs)]);
  }

  async #reconcile(servers: readonly ServerAddress[]): Promise<void> {
    // Whoever erased all endpoints would cut pods off from the servers that are there nevertheless.
    if (servers.length === 0) throw new Error('no server is listed in the store');
    const client = this.#server.loopback();
    const groups = byPort(servers);
    await put(client, Endpoints, {
      metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: groups.map(({ addresses, ports }) => ({ addresses: addresses.map((ip) => ({ ip })), ports })),
    } as ApiObject);
    for (const { addresses, ports, slice } of groups)
      await put(client, EndpointSlice, {
        metadata: { name: slice, namespace, labels: serviceLabels },
        addressType: 'IPv4',
        endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
        ports,
      } as ApiObject);
    await this.#removeOthers(new Set(groups.map(({ slice }) => slice)));
  }

  /** Slices of ports that no server has any more. */
  async #removeOthers(wanted: ReadonlySet<string>): Promise<void> {
    const { cache } = this.#server.resources.of(EndpointSlice).storage!;
    for (const { value } of cache.list(namespace)) {
      const { name: slice = '', labels } = value.object.metadata;
      const isOurs = labels?.[serviceLabel] === name && ownSlice.test(slice);
      if (isOurs && !wanted.has(slice)) await this.#server.loopback().delete(EndpointSlice, { name: slice, namespace });
    }
  }
}

const serviceLabel = 'kubernetes.io/service-name';
const serviceLabels = { [serviceLabel]: name };
const ownSlice = new RegExp(`^${name}-\\d+$`);

interface PortGroup {
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  /** The name of its slice, in which all endpoints have the same port: upstream's for the first of them. */
  readonly slice: string;
}

/** In an order that all servers agree on. */
function byPort(servers: readonly ServerAddress[]): readonly PortGroup[] {
  const ports = [...new Set(servers.map(({ port }) => port))].sort((left, right) => left - right);
  return ports.map((port, index) => ({
    addresses: [...new Set(servers.filter((server) => server.port === port).map(({ address }) => address))].sort(),
    ports: [{ name: 'https', port, protocol: 'TCP' }],
    slice: index === 0 ? name : `${name}-${port}`,
  }));
}

/** Makes an object say what it has to; one that says so already is not written. */
async function put(client: Client, kind: Kind, wanted: ApiObject): Promise<void> {
  let current: ApiObject;
  try {
    current = await client.get(kind, { name: wanted.metadata.name ?? '', namespace });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    await client.create(kind, wanted);
    return;
  }
  const { metadata, ...content } = wanted;
  const labels = { ...current.metadata.labels, ...metadata.labels };
  const next = { ...current, ...content, metadata: { ...current.metadata, labels } };
  if (!equalValues(next, current)) await client.update(kind, next);
}
