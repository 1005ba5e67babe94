import type { Clock } from '#base/clock.ts';
import { exponentialBounds, type Metrics, type Series } from '#base/metrics.ts';
import { isRejection, type Preparation, type Rejection } from './framework.ts';

/** The extension points of upstream's scheduling framework that cost time here. */
export type Phase = 'PreFilter' | 'Filter' | 'PostFilter' | 'Score' | 'Bind';

/** How a phase, or one plugin in it, ended. */
export type PhaseStatus = 'Success' | 'Skip' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Error';

/** Upstream's bounds, in seconds. */
const bounds = { phase: exponentialBounds(0.0001, 2, 12), plugin: exponentialBounds(0.00001, 1.5, 20) } as const;

/** Plugins are measured one by one in every so many cycles, as upstream: looking at the clock costs more than most of them. */
const sampledCycles = 10;

export function statusOf(preparation: Preparation | Rejection | undefined): PhaseStatus {
  if (preparation === undefined) return 'Success';
  if (preparation === 'skip') return 'Skip';
  if (!isRejection(preparation)) return 'Success';
  return preparation.unresolvable ? 'UnschedulableAndUnresolvable' : 'Unschedulable';
}

/** Where the time of scheduling goes: by extension point, and by plugin. */
export class PhaseMetrics {
  readonly #clock: Clock;
  readonly #phases: (phase: Phase, status: PhaseStatus) => Series;
  readonly #plugins: (plugin: string, phase: Phase, status: PhaseStatus) => Series;
  readonly #evaluations: (plugin: string, phase: Phase) => Series;
  #cycles = 0;

  constructor(metrics: Metrics, { clock, profile }: { readonly clock: Clock; readonly profile: string }) {
    this.#clock = clock;
    const phases = metrics.histogram(
      'scheduler_framework_extension_point_duration_seconds',
      'How long all plugins of an extension point took.',
      bounds.phase,
    );
    this.#phases = remembered((extension_point, status) => phases.series({ extension_point, status, profile }));
    const plugins = metrics.histogram(
      'scheduler_plugin_execution_duration_seconds',
      'How long one plugin took at an extension point, in some of the cycles.',
      bounds.plugin,
    );
    this.#plugins = remembered((plugin, extension_point, status) =>
      plugins.series({ plugin, extension_point, status }),
    );
    const evaluations = metrics.counter(
      'scheduler_plugin_evaluation_total',
      'Times that a plugin was asked about a pod, or about a pod on a node.',
    );
    this.#evaluations = remembered((plugin, extension_point) =>
      evaluations.series({ plugin, extension_point, profile }),
    );
  }

  /** Begins to measure a cycle. */
  cycle(): CycleWatch {
    return new CycleWatch(this, this.#clock, this.#cycles++ % sampledCycles === 0);
  }

  ended(phase: Phase, status: PhaseStatus, sinceMs: number): void {
    this.#phases(phase, status)((this.#clock.monotonic() - sinceMs) / 1000);
  }

  pluginEnded(plugin: string, phase: Phase, status: PhaseStatus, ms: number): void {
    this.#plugins(plugin, phase, status)(ms / 1000);
  }

  evaluated(plugin: string, phase: Phase, times: number): void {
    if (times > 0) this.#evaluations(plugin, phase)(times);
  }
}

/** One cycle's stopwatch. */
export class CycleWatch {
  /** Whether plugins are measured one by one. */
  readonly isSampled: boolean;
  readonly #metrics: PhaseMetrics;
  readonly #clock: Clock;
  #sinceMs: number;

  constructor(metrics: PhaseMetrics, clock: Clock, isSampled: boolean) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.isSampled = isSampled;
    this.#sinceMs = clock.monotonic();
  }

  /** A phase has ended, and the next one begins. */
  ended(phase: Phase, status: PhaseStatus): void {
    this.#metrics.ended(phase, status, this.#sinceMs);
    this.#sinceMs = this.#clock.monotonic();
  }

  /** Lets a plugin work, measured in some of the cycles. */
  timed<T>(plugin: string, phase: Phase, work: () => T, statusOf: (result: T) => PhaseStatus): T {
    if (!this.isSampled) return work();
    const sinceMs = this.#clock.monotonic();
    const result = work();
    this.#metrics.pluginEnded(plugin, phase, statusOf(result), this.#clock.monotonic() - sinceMs);
    return result;
  }

  evaluated(plugin: string, phase: Phase, times: number): void {
    this.#metrics.evaluated(plugin, phase, times);
  }
}

/** There are few of these, and each is asked for often. */
export function remembered<Key extends readonly string[]>(make: (...key: Key) => Series): (...key: Key) => Series {
  const known = new Map<string, Series>();
  return (...key) => {
    const name = key.join(' ');
    let series = known.get(name);
    if (series === undefined) {
      series = make(...key);
      known.set(name, series);
    }
    return series;
  };
}
