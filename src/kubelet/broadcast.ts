const maxQueuedEvents = 100_000;

/** Hands every published value to every subscriber, in order. A subscriber that falls too far behind is cut off. */
export class Broadcast<T> {
  readonly #subscribers = new Set<(value: T) => void>();

  publish(value: T): void {
    for (const deliver of this.#subscribers) deliver(value);
  }

  /** Values published from now on, until the signal aborts. The subscription stands before the first `next()`. */
  subscribe(signal: AbortSignal): AsyncIterable<T> {
    const queue: T[] = [];
    let wake: (() => void) | undefined;
    let isOpen = true;
    const close = () => {
      isOpen = false;
      this.#subscribers.delete(deliver);
      wake?.();
    };
    const deliver = (value: T) => {
      if (queue.push(value) > maxQueuedEvents) close();
      wake?.();
    };
    this.#subscribers.add(deliver);
    signal.addEventListener('abort', close, { once: true });
    return (async function* () {
      try {
        while (isOpen) {
          const values = queue.splice(0);
          yield* values;
          if (queue.length === 0 && isOpen)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        signal.removeEventListener('abort', close);
        close();
      }
    })();
  }
}
