import type { Clock } from '#base/clock.ts';
import type { Metrics, Series } from '#base/metrics.ts';
import { ApiError } from '#machinery/errors.ts';
import type { Verb } from '../registry/operation.ts';

/** Seconds: upstream's bounds for clients. */
const bounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** Components of this process reach the server without a network. */
const host = 'in-process';

const methods: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  connect: 'POST',
};

/** `rest_client_*`: what controllers, scheduler and node agents ask for. */
export class ClientMetrics {
  readonly #clock: Clock;
  readonly #series = new Map<string, { readonly count: Series; readonly seconds: Series }>();
  readonly #make: (method: string, code: string) => { readonly count: Series; readonly seconds: Series };

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    const total = metrics.counter('rest_client_requests_total', 'Requests of the components in this process.');
    const seconds = metrics.histogram('rest_client_request_duration_seconds', 'How long those took.', bounds);
    this.#make = (method, code) => ({
      count: total.series({ code, method, host }),
      seconds: seconds.series({ verb: method, host }),
    });
  }

  async measure<T>(verb: Verb, work: () => Promise<T>): Promise<T> {
    const since = this.#clock.monotonic();
    let code = verb === 'create' ? '201' : '200';
    try {
      return await work();
    } catch (error) {
      code = error instanceof ApiError ? String(error.code) : '<error>';
      throw error;
    } finally {
      this.#note(methods[verb], code, (this.#clock.monotonic() - since) / 1000);
    }
  }

  #note(method: string, code: string, seconds: number): void {
    const key = `${method} ${code}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = this.#make(method, code);
      this.#series.set(key, series);
    }
    series.count(1);
    series.seconds(seconds);
  }
}
