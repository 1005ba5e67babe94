import type { Clock, Timer } from '#base/clock.ts';
import { LinkedList } from '#base/linked-list.ts';
import { badRequest } from '#machinery/errors.ts';
import { parseDuration } from '#machinery/time.ts';
import { isLongRunning } from '../fairness/seats.ts';
import type { RequestInfo } from './request-info.ts';

/** Upstream's `--request-timeout`. */
export const defaultRequestTimeoutMs = 60_000;

interface Entry {
  readonly dueMs: number;
  readonly expire: () => void;
}

const nothing = (): void => {};

/**
 * Ends requests that take too long. All have the same limit unless their client asks for less, so that those that began
 * first are due first, and one timer serves all.
 */
export class RequestDeadlines {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #open = new LinkedList<Entry>();
  #timer: Timer | undefined;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Calls `expire` unless the returned function is called in time. @throws ApiError 400 for a `timeout` that is none. */
  begin(info: RequestInfo, query: URLSearchParams, expire: () => void): () => void {
    if (info.verb === 'watch' || isLongRunning(info)) return nothing;
    const asked = query.get('timeout');
    const askedMs = asked === null || asked === '' ? 0 : wanted(asked);
    if (askedMs > 0 && askedMs < this.#limitMs) {
      const timer = this.#clock.schedule(askedMs, expire);
      return () => timer.cancel();
    }
    const node = this.#open.add({ dueMs: this.#clock.monotonic() + this.#limitMs, expire });
    this.#timer ??= this.#clock.schedule(this.#limitMs, () => this.#look());
    return () => this.#open.remove(node);
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let { first } = this.#open; first !== undefined; first = this.#open.first) {
      const { dueMs, expire } = first.value;
      if (dueMs > now) {
        this.#timer = this.#clock.schedule(dueMs - now, () => this.#look());
        return;
      }
      this.#open.remove(first);
      expire();
    }
  }
}

function wanted(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined)
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  return parsed;
}
