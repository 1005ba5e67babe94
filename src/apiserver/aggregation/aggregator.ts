import type { Environment } from '#base/environment.ts';
import { KeyedQueue } from '#base/keyed-queue.ts';
import type { Client } from '#client/client.ts';
import { APIService as ApiServiceKind, EndpointSlice, Service } from '#kinds/generated/handles.ts';
import type { APIService } from '#kinds/generated/types/apiregistration_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { formatTime } from '#machinery/time.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { CertificateProblems } from '../webhooks/certificates.ts';
import { workThrough } from '../work.ts';
import { type Availability, checkAvailability, local } from './availability.ts';
import { fetchDiscovery, fetchOpenApi, type RemoteOpenApi, type RemoteVersion } from './remote-documents.ts';
import { type ProxyIdentity, RemoteServer } from './remote-server.ts';

/** How often an aggregated server is asked whether it is still there. */
const recheckMs = 30_000;
/** Servers that are checked at a time; one that hangs must not keep the others. */
const workers = 4;

export interface AggregatorOptions {
  readonly resources: ResourceTable;
  readonly client: Client;
  readonly environment: Environment;
  readonly identity: () => ProxyIdentity | undefined;
}

/** Services and reasons that are counted apart. */
const maxFailures = 1000;

/** A group and version that another server answers for. */
export interface RemoteApi {
  /** The APIService's. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly priority: { readonly group: number; readonly version: number };
  readonly server: RemoteServer;
  readonly isAvailable: boolean;
  /** What it last said of itself. */
  readonly discovery: RemoteVersion | undefined;
  readonly openApi: RemoteOpenApi | undefined;
}

/**
 * Follows the APIServices: which groups other servers answer for, whether they can, and what they say of themselves.
 */
export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #services: ResourceCache;
  readonly #queue: KeyedQueue;
  /** By `group/version`. */
  readonly #remotes = new Map<string, RemoteApi>();
  #changes = 0;
  /** Of the other servers' certificates. */
  readonly problems = new CertificateProblems();
  /** Times that a service was found to be unavailable, by its name and why. */
  readonly failures = new Map<string, { readonly name: string; readonly reason: string; count: number }>();

  constructor(options: AggregatorOptions) {
    const { resources, environment } = options;
    this.#options = options;
    this.#queue = new KeyedQueue(environment.clock);
    this.#services = resources.of(ApiServiceKind).storage!.cache;
    this.#services.onEvent(({ type, key, value }) =>
      this.#follow(key, type === 'DELETED' ? undefined : (value.object as APIService)),
    );
    for (const { key, value } of this.#services.entries()) this.#follow(key, value.object as APIService);
    for (const kind of [Service, EndpointSlice])
      resources.of(kind).storage!.cache.onEvent(({ value }) => this.#recheck(value.object.metadata.namespace ?? ''));
  }

  /** Rises with every change of what the other servers offer. */
  get changes(): number {
    return this.#changes;
  }

  get remotes(): Iterable<RemoteApi> {
    return this.#remotes.values();
  }

  /** The server that answers for a path such as `/apis/GROUP/VERSION/…`, if it is not this one. */
  remoteOf(path: string): RemoteApi | undefined {
    if (this.#remotes.size === 0 || !path.startsWith('/apis/')) return undefined;
    const [group = '', version] = path.slice('/apis/'.length).split('/', 2);
    return version === undefined ? undefined : this.remoteFor(group, version);
  }

  /** The same for a group and version. What this server has itself it does not hand on. */
  remoteFor(group: string, version: string): RemoteApi | undefined {
    if (this.#remotes.size === 0 || this.#options.resources.hasGroupVersion(group, version)) return undefined;
    return this.#remotes.get(`${group}/${version}`);
  }

  /** Works until it is stopped. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  #work(): Promise<void> {
    return workThrough(this.#queue, { log: this.#options.environment.log, what: 'apiService' }, (name) =>
      this.#sync(name),
    );
  }

  stop(): void {
    this.#queue.close();
    for (const { server } of this.#remotes.values()) server.close();
    this.#remotes.clear();
  }

  #follow(name: string, service: APIService | undefined): void {
    const known = [...this.#remotes].find(([, remote]) => remote.name === name);
    const { group = '', version = '', service: reference } = service?.spec ?? {};
    if (service === undefined || reference === undefined) {
      if (known !== undefined) this.#forget(known[0]);
    } else if (known === undefined || !equalValues(known[1].server.spec, service.spec)) {
      if (known !== undefined) this.#forget(known[0]);
      const { groupPriorityMinimum, versionPriority } = service.spec;
      const { resources, environment, identity } = this.#options;
      this.#put({
        name,
        group,
        version,
        priority: { group: groupPriorityMinimum, version: versionPriority },
        server: new RemoteServer(service.spec, {
          resources,
          random: environment.random,
          clock: environment.clock,
          identity,
          problems: this.problems,
        }),
        isAvailable: isAvailable(service),
        discovery: undefined,
        openApi: undefined,
      });
      this.#queue.add(name);
    }
    if (service !== undefined && reference === undefined && !isAvailable(service)) this.#queue.add(name);
  }

  #put(remote: RemoteApi): void {
    this.#remotes.set(`${remote.group}/${remote.version}`, remote);
    this.#changes++;
  }

  #forget(key: string): void {
    this.#remotes.get(key)?.server.close();
    this.#remotes.delete(key);
    this.#changes++;
  }

  #recheck(namespace: string): void {
    for (const { name, server } of this.#remotes.values())
      if (server.spec.service?.namespace === namespace) this.#queue.add(name);
  }

  async #sync(name: string): Promise<void> {
    const service = this.#services.get(name)?.value.object as APIService | undefined;
    if (service === undefined) return;
    const remote = [...this.#remotes.values()].find((each) => each.name === name);
    if (remote === undefined) return this.#report(service, local);
    const availability = await checkAvailability(remote.server, this.#options.resources);
    const key = `${remote.group}/${remote.version}`;
    // It may have been replaced while it was asked.
    if (this.#remotes.get(key)?.server === remote.server) {
      if (availability.status === 'True') await this.#learn(key, remote);
      else this.#put({ ...remote, isAvailable: false });
      this.#queue.addAfter(name, recheckMs);
    }
    await this.#report(service, availability);
  }

  async #learn(key: string, remote: RemoteApi): Promise<void> {
    const [discovery, openApi] = await Promise.all([
      fetchDiscovery(remote.server).catch(() => remote.discovery),
      fetchOpenApi(remote.server),
    ]);
    const current = this.#remotes.get(key);
    if (current?.server !== remote.server) return;
    const isNews =
      !current.isAvailable || !equalValues(current.discovery, discovery) || !sameOpenApi(current.openApi, openApi);
    if (isNews) this.#put({ ...current, isAvailable: true, discovery, openApi });
  }

  #countFailure(name: string, reason: string): void {
    const key = `${name} ${reason}`;
    const known = this.failures.get(key);
    if (known !== undefined) known.count++;
    else if (this.failures.size < maxFailures) this.failures.set(key, { name, reason, count: 1 });
  }

  async #report(service: APIService, availability: Availability): Promise<void> {
    const conditions = service.status?.conditions ?? [];
    const old = conditions.find(({ type }) => type === 'Available');
    const { status, reason, message } = availability;
    if (old?.status === status && old.reason === reason && old.message === message) return;
    if (status !== 'True') this.#countFailure(service.metadata.name ?? '', reason ?? '');
    const now = formatTime(this.#options.environment.clock.now());
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now;
    const next = { type: 'Available', lastTransitionTime, ...availability };
    const status_ = { conditions: [...conditions.filter(({ type }) => type !== 'Available'), next] };
    await this.#options.client.updateStatus(ApiServiceKind, { ...service, status: status_ });
  }
}

function isAvailable({ status }: APIService): boolean {
  return (
    status?.conditions?.some((condition) => condition.type === 'Available' && condition.status === 'True') === true
  );
}

function sameOpenApi(left: RemoteOpenApi | undefined, right: RemoteOpenApi): boolean {
  if (left === undefined) return false;
  const isSameV3 = left.v3 === right.v3 || (left.v3 !== undefined && right.v3?.equals(left.v3) === true);
  return isSameV3 && equalValues(left.v2, right.v2);
}
