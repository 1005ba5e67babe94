/** What is to be called, for each signal that somebody waits on. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when the signal aborts. A signal that lives as long as a component has thousands of short waits, and
 * an event target looks through all its listeners whenever one comes or goes: here they share one.
 * @returns what takes the callback back.
 */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    const all = new Set<() => void>();
    signal.addEventListener(
      'abort',
      () => {
        for (const call of all) call();
      },
      { once: true },
    );
    waiting.set(signal, all);
    callbacks = all;
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}
