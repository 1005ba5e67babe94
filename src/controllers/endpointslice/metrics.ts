import { exponentialBounds, type Metrics, type Series } from '#base/metrics.ts';
import { type EndpointGroup, endpointsPerSlice } from './packing.ts';

/** Endpoints: upstream's bounds. */
const endpointBounds = exponentialBounds(2, 2, 15);

/** What one turn did to the slices of a service. */
export interface SliceWork {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
}

/** What a service is to have. */
interface Desired {
  readonly endpoints: number;
  readonly slices: number;
}

/** `endpoint_slice_controller_*`, under upstream's names. */
export class SliceMetrics {
  readonly #desired = new Map<string, Desired>();
  readonly #changes: Readonly<Record<keyof SliceWork, Series>>;
  readonly #syncs: Readonly<Record<'success' | 'error', Series>>;
  readonly #added: Series;
  readonly #removed: Series;

  /** @param slices how many slices there are. */
  constructor(metrics: Metrics, slices: () => number) {
    const prefix = 'endpoint_slice_controller';
    const changes = metrics.counter(`${prefix}_changes`, 'Slices that were made, changed and deleted.');
    const of = (operation: string): Series => changes.series({ operation });
    this.#changes = { create: of('create'), update: of('update'), delete: of('delete') };
    const syncs = metrics.counter(`${prefix}_syncs`, 'Turns of services.');
    this.#syncs = { success: syncs.series({ result: 'success' }), error: syncs.series({ result: 'error' }) };
    const perTurn = (name: string, help: string): Series =>
      metrics.histogram(`${prefix}_${name}`, help, endpointBounds).series({});
    this.#added = perTurn('endpoints_added_per_sync', 'Endpoints that a turn added.');
    this.#removed = perTurn('endpoints_removed_per_sync', 'Endpoints that a turn removed.');
    const total = (name: string, help: string, of: keyof Desired): void =>
      metrics.gauge(`${prefix}_${name}`, help, () => [
        [{}, this.#desired.values().reduce((sum, desired) => sum + desired[of], 0)],
      ]);
    total('endpoints_desired', 'Endpoints that services have.', 'endpoints');
    total('desired_endpoint_slices', 'Slices that would do for them.', 'slices');
    metrics.gauge(`${prefix}_num_endpoint_slices`, 'Slices that there are.', () => [[{}, slices()]]);
  }

  async sync<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#syncs.success(1);
      return result;
    } catch (error) {
      this.#syncs.error(1);
      throw error;
    }
  }

  changed(work: Partial<SliceWork>): void {
    for (const operation of ['create', 'update', 'delete'] as const) {
      const count = work[operation] ?? 0;
      if (count > 0) this.#changes[operation](count);
    }
  }

  moved({ added, removed }: { readonly added: number; readonly removed: number }): void {
    this.#added(added);
    this.#removed(removed);
  }

  /** What a service is to have, of all types of addresses. */
  wants(service: string, groups: readonly EndpointGroup[]): void {
    const counts = groups.map(({ endpoints }) => endpoints.length);
    this.#desired.set(service, {
      endpoints: counts.reduce((sum, count) => sum + count, 0),
      slices: Math.max(
        1,
        counts.reduce((sum, count) => sum + Math.ceil(count / endpointsPerSlice), 0),
      ),
    });
  }

  /** The service has no slices of this controller any more. */
  forget(service: string): void {
    this.#desired.delete(service);
  }
}
