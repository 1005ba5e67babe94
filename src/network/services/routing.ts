import { type Clock, sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { Informer } from '#client/informer.ts';
import type { Informers } from '#client/informers.ts';
import { keyFor, keyOf } from '#client/object-key.ts';
import { EndpointSlice, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice as SliceObject } from '#kinds/generated/types/discovery_v1.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { type ElementChanges, ElementTable } from './element-table.ts';
import { forgetUdpFlows, ServiceKernel } from './kernel.ts';
import { RoutingMetrics } from './metrics.ts';
import { type ElementId, planService, type ServicePlan, type UdpFrontend } from './plan.ts';
import type { TableOptions } from './rules.ts';

export interface ServiceRoutingOptions extends TableOptions {
  readonly informers: Informers;
  readonly environment: Environment;
  readonly nodeName: string;
}

/** How often the table is looked for: another program may have flushed the machine's rules. */
const checkIntervalMs = 30_000;
const retryDelayMs = 1_000;
/** Services that are planned without a pause. */
const plansPerTurn = 200;
/** UDP flows that are looked for one by one after a change; beyond, those of a whole service port are dropped. */
const maxFlowDeletions = 64;

/**
 * Routes services on this node until the signal aborts. The rules stay when it ends, so that a restart loses no packet:
 * the next run replaces them in one step, after it has seen every service. Resolves when the signal aborts.
 *
 * @param options.onSynced called when all services that existed at the start are routed.
 */
export async function runServiceRouting(
  options: ServiceRoutingOptions & { readonly onSynced?: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { environment, informers } = options;
  const services = informers.of(Service);
  const slices = informers.of(EndpointSlice);
  const slicesByService = slices.index('service', (slice) => [serviceKeyOf(slice)]);
  const { clock, metrics: page } = environment;
  const metrics = page === undefined ? undefined : new RoutingMetrics(page, clock);
  const router = new ServiceRouter(options, metrics, (key) => ({
    service: services.getByKey(key),
    slices: slicesByService.get(key),
  }));
  const unsubscribe = [
    follow(services, keyOf, (key) => router.changed(key)),
    follow(slices, serviceKeyOf, (key) => router.changed(key)),
    metrics === undefined ? () => undefined : measureChanges({ services, slices }, metrics),
  ];
  try {
    await Promise.all([services.synced(signal), slices.synced(signal)]);
    let synced = false;
    while (!signal.aborted) {
      await router.work(signal);
      if (!synced) options.onSynced?.();
      synced = true;
      await router.awaitChange(environment.clock, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const stop of unsubscribe) stop();
  }
}

type Lookup = (key: string) => { readonly service: ServiceObject | undefined; readonly slices: Iterable<SliceObject> };

/** Holds what every service needs against what the kernel has. */
class ServiceRouter {
  readonly #options: ServiceRoutingOptions;
  readonly #metrics: RoutingMetrics | undefined;
  readonly #lookup: Lookup;
  readonly #kernel: ServiceKernel;
  readonly #table = new ElementTable();
  readonly #plans = new Map<string, ServicePlan>();
  readonly #changed = new Set<string>();
  #wake: (() => void) | undefined;
  #mustReplace = true;

  constructor(options: ServiceRoutingOptions, metrics: RoutingMetrics | undefined, lookup: Lookup) {
    this.#options = options;
    this.#metrics = metrics;
    this.#lookup = lookup;
    this.#kernel = new ServiceKernel(options);
  }

  changed(key: string): void {
    this.#changed.add(key);
    this.#wake?.();
  }

  /** Applies all changes so far; tries again until it succeeds. */
  async work(signal: AbortSignal): Promise<void> {
    const { environment } = this.#options;
    while (this.#changed.size > 0 || this.#mustReplace) {
      try {
        const apply = (): Promise<void> => this.#apply(signal);
        await (this.#metrics?.sync(this.#mustReplace ? 'full' : 'partial', apply) ?? apply());
      } catch (error) {
        if (signal.aborted) throw error;
        environment.log.warn('service rules could not be applied', { error: String(error) });
        this.#mustReplace = true;
        await sleep(environment.clock, retryDelayMs, signal);
      }
    }
  }

  /** Resolves at the next change, or when the rules have vanished. */
  async awaitChange(clock: Clock, signal: AbortSignal): Promise<void> {
    while (this.#changed.size === 0 && !this.#mustReplace) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const check = new AbortController();
      const due = sleep(clock, checkIntervalMs, AbortSignal.any([signal, check.signal])).catch(() => {});
      await Promise.race([changed, due]);
      check.abort();
      signal.throwIfAborted();
      if (this.#changed.size === 0 && !(await this.#kernel.isIntact(signal))) {
        this.#options.environment.log.warn('service rules have vanished and are made anew');
        this.#mustReplace = true;
      }
    }
  }

  async #apply(signal: AbortSignal): Promise<void> {
    const keys = [...this.#changed];
    this.#changed.clear();
    const before = new Map<string, ServicePlan>();
    for (const [index, key] of keys.entries()) {
      const old = this.#plans.get(key);
      if (old !== undefined) before.set(key, old);
      this.#replan(key);
      // Thousands of services must not hold up everything else in this process.
      if (index % plansPerTurn === plansPerTurn - 1) await sleep(this.#options.environment.clock, 0, signal);
    }
    if (this.#mustReplace) {
      this.#table.reset();
      await this.#kernel.replace(this.#table.take(), this.#allChains(), signal);
      this.#mustReplace = false;
      return;
    }
    const changes = this.#table.take();
    await this.#kernel.change(changes, this.#chainsOf(keys), signal);
    await this.#forgetStale(keys, before, changes, signal);
  }

  #replan(key: string): void {
    const { service, slices } = this.#lookup(key);
    const plan = service && planService(service, slices, this.#options);
    this.#table.set(key, plan?.elements ?? new Map());
    if (plan === undefined || plan.elements.size === 0) this.#plans.delete(key);
    else this.#plans.set(key, plan);
  }

  *#allChains(): Generator<ServicePlan['chains'][number]> {
    for (const plan of this.#plans.values()) yield* plan.chains;
  }

  *#chainsOf(keys: readonly string[]): Generator<ServicePlan['chains'][number]> {
    for (const key of keys) yield* this.#plans.get(key)?.chains ?? [];
  }

  async #forgetStale(
    keys: readonly string[],
    before: ReadonlyMap<string, ServicePlan>,
    changes: ElementChanges,
    signal: AbortSignal,
  ): Promise<void> {
    if (keys.some((key) => before.get(key)?.hasAffinity)) {
      // A number that means another endpoint now is as good as a new one, and a client may have been given it just now.
      const isGone = (id: ElementId): boolean => changes.removed.has(id) && !changes.added.has(id);
      await this.#kernel.forgetAffinity(
        ({ address, protocol, port, mark }) =>
          isGone(`endpoints ${address} . ${protocol} . ${port} . ${mark}`) ||
          isGone(`node_port_endpoints ${protocol} . ${port} . ${mark}`),
        signal,
      );
    }
    for (const key of keys) {
      for (const flow of staleFlows(before.get(key)?.udpFrontends ?? [], this.#plans.get(key)?.udpFrontends ?? [])) {
        await forgetUdpFlows(flow, signal).catch((error: Error) => {
          if (signal.aborted) throw error;
          this.#options.environment.log.warn('stale UDP flows could not be removed', {
            service: key,
            error: error.message,
          });
        });
      }
    }
  }
}

type StaleFlow = Parameters<typeof forgetUdpFlows>[0];

/** Flows to endpoints that are gone, and flows that began before there was any endpoint and were sent nowhere. */
export function staleFlows(before: readonly UdpFrontend[], after: readonly UdpFrontend[]): readonly StaleFlow[] {
  const flows: StaleFlow[] = [];
  const idOf = ({ address, port }: UdpFrontend): string => `${address ?? ''}:${port}`;
  const now = new Map(after.map((frontend) => [idOf(frontend), frontend]));
  for (const frontend of before) {
    const { address, port } = frontend;
    const current = now.get(idOf(frontend));
    now.delete(idOf(frontend));
    const gone = frontend.endpoints.filter((endpoint) => !current?.endpoints.includes(endpoint));
    if (
      gone.length > maxFlowDeletions ||
      (frontend.endpoints.length === 0 && current !== undefined && current.endpoints.length > 0)
    ) {
      flows.push({ address, port, endpoint: undefined });
    } else {
      for (const endpoint of gone) flows.push({ address, port, endpoint });
    }
  }
  for (const { address, port, endpoints } of now.values()) {
    // Of the node's own port nothing is known before: flows to it were the machine's business.
    if (address !== undefined && endpoints.length > 0) flows.push({ address, port, endpoint: undefined });
  }
  return flows;
}

function measureChanges(
  { services, slices }: { readonly services: Informer<ServiceObject>; readonly slices: Informer<SliceObject> },
  metrics: RoutingMetrics,
): () => void {
  const changed = (): void => metrics.serviceChanged();
  const unsubscribe = [
    services.subscribe({ added: changed, updated: changed, deleted: changed }),
    slices.subscribe({
      added: (slice) => metrics.endpointsChanged(undefined, slice),
      updated: (old, slice) => metrics.endpointsChanged(old, slice),
      deleted: (slice) => metrics.endpointsChanged(slice, undefined),
    }),
  ];
  return () => {
    for (const stop of unsubscribe) stop();
  };
}

function follow<T extends ApiObject>(
  informer: Informer<T>,
  keyOf: (object: T) => string,
  changed: (key: string) => void,
): () => void {
  return informer.subscribe({
    added: (object) => changed(keyOf(object)),
    updated(old, object) {
      changed(keyOf(old));
      changed(keyOf(object));
    },
    deleted: (object) => changed(keyOf(object)),
  });
}

function serviceKeyOf({ metadata }: ApiObject): string {
  return keyFor(metadata.namespace, metadata.labels?.['kubernetes.io/service-name'] ?? '');
}
