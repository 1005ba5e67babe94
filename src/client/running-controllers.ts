import type { Metrics } from '#base/metrics.ts';

/** As upstream's program that the controllers are part of. */
const manager = 'kube-controller-manager';

const running = new WeakMap<Metrics, Map<string, number>>();

/** Tells that a controller runs (`running_managed_controllers`), until the returned function is called. */
export function noteRunning(metrics: Metrics, name: string): () => void {
  let counts = running.get(metrics);
  if (counts === undefined) {
    const known = new Map<string, number>();
    counts = known;
    running.set(metrics, known);
    metrics.gauge('running_managed_controllers', 'Controllers that run here.', () =>
      [...known].map(([controller, count]) => [{ manager, name: controller }, Number(count > 0)] as const),
    );
  }
  const own = counts;
  const change = (by: 1 | -1): void => void own.set(name, (own.get(name) ?? 0) + by);
  change(1);
  return () => change(-1);
}
