import { whenAborted } from './abort.ts';

/** A timer that has been scheduled. Cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Everything that reads the time or waits for it takes a Clock, so that a whole
 * cluster can run on a virtual one.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds that never go backwards, with a fraction; only differences mean something. */
  monotonic(): number;
  /** Calls `callback` once, after `delayMs`. */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** The machine's time. Timers do not keep the process alive unless `keepAlive` is set. */
export function systemClock({ keepAlive = false }: { readonly keepAlive?: boolean } = {}): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    schedule(delayMs, callback) {
      // setTimeout overflows to "now" beyond 2^31 - 1 ms.
      const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), 0x7fffffff));
      if (!keepAlive && typeof handle === 'object') handle.unref();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}

/** Resolves after `delayMs`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    waitFor(clock, delayMs, signal, { over: resolve, aborted: () => reject(signal?.reason) });
  });
}

/** Whether `delayMs` passed before the signal aborted: `while (await passed(…))` does something now and then. */
export function passed(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    waitFor(clock, delayMs, signal, { over: () => resolve(true), aborted: () => resolve(false) });
  });
}

/** Calls one of the two, once. */
function waitFor(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal | undefined,
  { over, aborted }: { readonly over: () => void; readonly aborted: () => void },
): void {
  if (signal?.aborted) return aborted();
  const timer = clock.schedule(delayMs, () => {
    forget?.();
    over();
  });
  const forget =
    signal &&
    whenAborted(signal, () => {
      timer.cancel();
      aborted();
    });
}
