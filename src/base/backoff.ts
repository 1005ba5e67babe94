/** How long to wait before each further attempt. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maximumMs: number;
}

/** Doubling delays: `initialMs` for the first failure, never more than `maximumMs`. */
export function backoffDelayMs({ initialMs, maximumMs }: BackoffOptions, failures: number): number {
  // 2 ** 1024 is Infinity, which the minimum takes care of.
  return Math.min(maximumMs, initialMs * 2 ** Math.max(0, failures - 1));
}
