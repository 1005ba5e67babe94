import type { Clock } from '#base/clock.ts';
import { Metrics, type Series } from '#base/metrics.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';
import type { ContainerRole } from './pods/containers.ts';
import { StartError } from './pods/start-error.ts';
import { ProbeMetrics } from './probes/probe-metrics.ts';

/** Seconds: Prometheus' own bounds, which upstream uses for what is short, and upstream's for the starts of pods. */
const shortBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const startBounds = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const storageBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
const containerBounds = [1, 2, 4, 8, 16];

/** What a worker did for its pod, as upstream calls it. */
export type WorkKind = 'create' | 'update' | 'sync' | 'kill' | 'terminated';

const roleNames: Readonly<Record<ContainerRole, string>> = {
  app: 'container',
  init: 'init_container',
  sidecar: 'init_container',
  ephemeral: 'ephemeral_container',
};

/** `kubelet_*`, as far as it is counted while it happens: what a node can tell when it is asked stands in `api/metrics.ts`. */
export class NodeMetrics {
  /** What is on the page `/metrics`. */
  readonly page = new Metrics();
  /** What is on the page `/metrics/probes`. */
  readonly probes = new ProbeMetrics();
  readonly #clock: Clock;
  readonly #work;
  readonly #cgroups;
  readonly #storage;
  readonly #started;
  readonly #startErrors;
  readonly #startSeconds: Series;
  readonly #totalSeconds: Series;
  readonly #containers: Series;
  readonly #pods: Series;
  readonly #podErrors: Series;
  /** Whether the runtime tells what happens to containers. */
  readonly eventsBegan: Series;
  readonly eventsEnded: Series;

  constructor(clock: Clock) {
    this.#clock = clock;
    const { page } = this;
    this.#work = page.histogram('kubelet_pod_worker_duration_seconds', 'How long steps with pods took.', shortBounds);
    this.#cgroups = page.histogram(
      'kubelet_cgroup_manager_duration_seconds',
      'How long changes of cgroups took.',
      shortBounds,
    );
    this.#storage = page.histogram(
      'storage_operation_duration_seconds',
      'How long it took to have a volume ready.',
      storageBounds,
    );
    this.#started = page.counter('kubelet_started_containers_total', 'Containers that were started.');
    this.#startErrors = page.counter(
      'kubelet_started_containers_errors_total',
      'Containers that could not be started.',
    );
    const histogram = (name: string, help: string, bounds: readonly number[]): Series =>
      page.histogram(`kubelet_${name}`, help, bounds).series({});
    this.#startSeconds = histogram(
      'pod_start_duration_seconds',
      'From when a pod was first seen here until it ran.',
      startBounds,
    );
    this.#totalSeconds = histogram(
      'pod_start_total_duration_seconds',
      'From when a pod was created until it ran.',
      startBounds,
    );
    this.#containers = histogram('containers_per_pod_count', 'Containers of the pods that came.', containerBounds);
    const counter = (name: string, help: string): Series => page.counter(`kubelet_${name}`, help).series({});
    this.#pods = counter('started_pods_total', 'Pods that were started.');
    this.#podErrors = counter('started_pods_errors_total', 'Pods that could not be started.');
    this.eventsBegan = counter('evented_pleg_connection_success_count', 'Times that events of the runtime were had.');
    this.eventsEnded = counter('evented_pleg_connection_error_count', 'Times that they broke off.');
  }

  podCame({ spec }: Pod): void {
    this.#containers(spec.containers.length);
  }

  worked(kind: WorkKind, sinceMs: number): void {
    this.#work.observe({ operation_type: kind }, this.#seconds(sinceMs));
  }

  /** A pod runs for the first time. @param seenMs when it was first seen here, monotonic. */
  podRuns({ metadata }: Pod, seenMs: number): void {
    this.#startSeconds(this.#seconds(seenMs));
    this.#totalSeconds((this.#clock.now() - parseTime(metadata.creationTimestamp ?? '')) / 1000);
  }

  async startingPod<T>(work: () => Promise<T>): Promise<T> {
    this.#pods(1);
    try {
      return await work();
    } catch (error) {
      this.#podErrors(1);
      throw error;
    }
  }

  async startingContainer<T>(role: ContainerRole, work: () => Promise<T>): Promise<T> {
    const container_type = roleNames[role];
    this.#started.add({ container_type });
    try {
      return await work();
    } catch (error) {
      this.#startErrors.add({ container_type, code: error instanceof StartError ? error.reason : 'Error' });
      throw error;
    }
  }

  /** Has a volume ready. @param volume_plugin as upstream calls the kind of the volume. */
  async mounting(volume_plugin: string, work: () => Promise<void>): Promise<void> {
    const sinceMs = this.#clock.monotonic();
    let status = 'fail-unknown';
    try {
      await work();
      status = 'success';
    } finally {
      const labels = { migrated: 'false', operation_name: 'volume_mount', status, volume_plugin };
      this.#storage.observe(labels, this.#seconds(sinceMs));
    }
  }

  async changingCgroup<T>(operation_type: 'create' | 'destroy', work: () => Promise<T>): Promise<T> {
    const sinceMs = this.#clock.monotonic();
    try {
      return await work();
    } finally {
      this.#cgroups.observe({ operation_type }, this.#seconds(sinceMs));
    }
  }

  #seconds(sinceMs: number): number {
    return (this.#clock.monotonic() - sinceMs) / 1000;
  }
}
