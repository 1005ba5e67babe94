import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { Container, Pod, Probe } from '#kinds/generated/types/core_v1.ts';
import type { ProbeView } from '../pods/actions.ts';
import type { ReadinessView } from '../pods/conditions.ts';
import type { ProbeMetrics } from './probe-metrics.ts';
import type { Prober } from './prober.ts';

type ProbeKind = 'startup' | 'liveness' | 'readiness';
type Verdict = 'success' | 'failure' | 'unknown';

interface ContainerProbes {
  readonly podUid: string;
  readonly containerId: string;
  readonly startedAtMs: number;
  pod: Pod;
  container: Container;
  address: string;
  /** The postStart hook has ended well, or there is none. */
  hookDone: boolean;
  readonly workers: Map<ProbeKind, ProbeWorker>;
}

export interface ProbedContainer {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly startedAtMs: number;
  readonly address: string;
  /**
   * What was reported of this very attempt before the node agent started anew: a restart of ours must not make a pod
   * look unready (upstream since v1.35).
   */
  readonly before?: { readonly ready: boolean; readonly started: boolean } | undefined;
}

const title = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const;
/** A probe that could not be run is tried again so often before the result counts as unknown. */
const maxAttempts = 3;

/**
 * Waits between the first tries at a container that has just started and is not ready. Most servers listen within a
 * moment, and none of them should wait a whole period because it was asked a little too soon. Upstream asks again on
 * every change of the pod's status, to the same end.
 */
const earlyRetriesMs = [250, 750, 2000];

/** Probes running containers and remembers what came of it, by container id: a new attempt starts from nothing. */
export class ProbeManager implements ProbeView, ReadinessView {
  readonly #environment: Environment;
  readonly #prober: Prober;
  readonly #changed: (podUid: string) => void;
  readonly #note: (pod: Pod, container: string, message: string) => void;
  readonly #metrics: ProbeMetrics | undefined;
  readonly #containers = new Map<string, ContainerProbes>();

  constructor(options: {
    readonly environment: Environment;
    readonly prober: Prober;
    readonly metrics?: ProbeMetrics | undefined;
    /** A result changed: the pod's status or actions may. */
    readonly changed: (podUid: string) => void;
    readonly unhealthy: (pod: Pod, container: string, message: string) => void;
  }) {
    this.#environment = options.environment;
    this.#prober = options.prober;
    this.#changed = options.changed;
    this.#note = options.unhealthy;
    this.#metrics = options.metrics;
  }

  /** Starts the probes of a running container, or tells them of a newer spec. */
  watch(target: ProbedContainer): void {
    const known = this.#containers.get(target.containerId);
    if (known !== undefined) {
      known.pod = target.pod;
      known.container = target.container;
      known.address = target.address;
      return;
    }
    const { pod, container, containerId, startedAtMs, address } = target;
    const entry: ContainerProbes = {
      podUid: pod.metadata.uid ?? '',
      containerId,
      startedAtMs,
      pod,
      container,
      address,
      hookDone: true,
      workers: new Map(),
    };
    this.#containers.set(containerId, entry);
    for (const kind of ['startup', 'liveness', 'readiness'] as const) {
      const probe = probeOf(container, kind);
      if (probe === undefined) continue;
      const initial = initialVerdict(kind, target.before);
      entry.workers.set(kind, this.#worker(entry, kind, probe, initial));
    }
  }

  forget(containerId: string): void {
    const entry = this.#containers.get(containerId);
    for (const worker of entry?.workers.values() ?? []) worker.stop();
    this.#containers.delete(containerId);
  }

  /** A pod that ends is no longer restarted, but it may become unready. */
  stopLivenessAndStartup(podUid: string): void {
    for (const entry of this.#containers.values()) {
      if (entry.podUid !== podUid) continue;
      entry.workers.get('liveness')?.stop();
      entry.workers.get('startup')?.stop();
    }
  }

  ready(containerId: string): boolean {
    const entry = this.#containers.get(containerId);
    if (entry === undefined || !this.started(containerId)) return false;
    const worker = entry.workers.get('readiness');
    return worker === undefined || worker.verdict === 'success';
  }

  started(containerId: string): boolean {
    const entry = this.#containers.get(containerId);
    if (entry === undefined || !entry.hookDone) return false;
    const worker = entry.workers.get('startup');
    return worker === undefined || worker.verdict === 'success';
  }

  liveness(containerId: string): Verdict {
    return this.#containers.get(containerId)?.workers.get('liveness')?.verdict ?? 'unknown';
  }

  startup(containerId: string): Verdict {
    return this.#containers.get(containerId)?.workers.get('startup')?.verdict ?? 'unknown';
  }

  stop(): void {
    for (const id of [...this.#containers.keys()]) this.forget(id);
  }

  #worker(entry: ContainerProbes, kind: ProbeKind, probe: Probe, initial: Verdict): ProbeWorker {
    const isHeld = () => kind !== 'startup' && !this.started(entry.containerId);
    return new ProbeWorker({
      environment: this.#environment,
      kind,
      probe,
      initial,
      dueAtMs: entry.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000,
      isHeld,
      attempt: async (signal) => {
        const outcome = await this.#attempt(entry, kind, probe, signal);
        if (outcome.result === 'success') return 'success';
        const text =
          outcome.result === 'failure'
            ? `${title[kind]} probe failed: ${outcome.output}`
            : `${title[kind]} probe errored and resulted in unknown state: ${outcome.output}`;
        this.#note(entry.pod, entry.container.name, text);
        return outcome.result === 'failure' ? 'failure' : 'unknown';
      },
      changed: () => {
        if (kind === 'startup') for (const other of entry.workers.values()) other.trigger();
        this.#changed(entry.podUid);
      },
    });
  }

  async #attempt(entry: ContainerProbes, kind: ProbeKind, fallback: Probe, signal: AbortSignal) {
    const probe = probeOf(entry.container, kind) ?? fallback;
    const { pod, container, containerId, address } = entry;
    const target = { pod, container, containerId, address };
    const { clock } = this.#environment;
    const sinceMs = clock.monotonic();
    let outcome = await this.#prober.run(probe, target, signal);
    for (let attempt = 1; attempt < maxAttempts && outcome.result === 'error'; attempt++)
      outcome = await this.#prober.run(probe, target, signal);
    this.#metrics?.ran(target, title[kind], outcome.result, (clock.monotonic() - sinceMs) / 1000);
    return outcome;
  }
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  if (kind === 'startup') return container.startupProbe;
  return kind === 'liveness' ? container.livenessProbe : container.readinessProbe;
}

/** Before the first result a container counts as alive, but neither as ready nor as started. */
function initialVerdict(kind: ProbeKind, before: ProbedContainer['before']): Verdict {
  if (kind === 'liveness') return 'success';
  if (kind === 'readiness') return before?.ready ? 'success' : 'failure';
  return before?.started ? 'success' : 'unknown';
}

interface WorkerOptions {
  readonly environment: Environment;
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly initial: Verdict;
  readonly dueAtMs: number;
  /** Whether the startup probe still holds this one back. */
  readonly isHeld: () => boolean;
  readonly attempt: (signal: AbortSignal) => Promise<Verdict>;
  readonly changed: () => void;
}

/** One probe of one container attempt: due every period, its verdict turning after the thresholds. */
class ProbeWorker {
  readonly #options: WorkerOptions;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #isRunning = false;
  #earlyRetries = 0;
  #last: Verdict = 'unknown';
  #runs = 0;
  verdict: Verdict;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.verdict = options.initial;
    if (this.#isSettled()) return;
    this.#schedule(Math.max(0, options.dueAtMs - options.environment.clock.now()));
  }

  /** Runs now what would be due later: the startup probe has just let go. */
  trigger(): void {
    const { clock } = this.#options.environment;
    if (!this.#isRunning && this.#options.kind !== 'startup')
      this.#schedule(Math.max(0, this.#options.dueAtMs - clock.now()));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#stopping.abort();
  }

  #schedule(delayMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = this.#options.environment.clock.schedule(delayMs, () => void this.#run());
  }

  async #run(): Promise<void> {
    const periodMs = (this.#options.probe.periodSeconds ?? 10) * 1000;
    const { clock } = this.#options.environment;
    if (this.#options.isHeld()) {
      this.#schedule(periodMs);
      return;
    }
    const startedMs = clock.monotonic();
    this.#isRunning = true;
    try {
      this.#count(await this.#options.attempt(this.#stopping.signal));
    } catch {
      return;
    } finally {
      this.#isRunning = false;
    }
    if (!this.#isSettled()) this.#schedule(Math.max(0, this.#waitMs(periodMs) - (clock.monotonic() - startedMs)));
  }

  #waitMs(periodMs: number): number {
    if (this.#options.kind !== 'readiness') return periodMs;
    if (this.verdict === 'success') this.#earlyRetries = earlyRetriesMs.length;
    return Math.min(periodMs, earlyRetriesMs[this.#earlyRetries++] ?? periodMs);
  }

  /** What has failed for good stays so until the container is replaced; what has started stays started. */
  #isSettled(): boolean {
    if (this.#options.kind === 'startup') return this.verdict !== 'unknown';
    return this.#options.kind === 'liveness' && this.verdict === 'failure';
  }

  #count(result: Verdict): void {
    if (result === 'unknown' || this.#stopping.signal.aborted) return;
    this.#runs = result === this.#last ? this.#runs + 1 : 1;
    this.#last = result;
    const { probe } = this.#options;
    const threshold = result === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (this.#runs < threshold || this.verdict === result) return;
    this.verdict = result;
    this.#options.changed();
  }
}
