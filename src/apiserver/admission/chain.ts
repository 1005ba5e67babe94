import type { Clock } from '#base/clock.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServedResource } from '../resources/resource.ts';
import { AdmissionMetrics, type AdmissionPhase, type Timing } from './metrics.ts';
import {
  type AdmissionAttributes,
  type AdmissionOperation,
  type AdmissionPlugin,
  type Admit,
  takeBack,
} from './plugin.ts';

interface Step {
  readonly admit: Admit;
  readonly timing: Timing;
}

/** What one phase does about one operation on one resource. */
interface Plan {
  readonly steps: readonly Step[];
  readonly timing: Timing;
}

/** A plan that is being carried out. */
interface Run extends Plan {
  readonly startedMs: number;
}

/** How far a run has come: the next step, and when the one before it ended. */
interface Place {
  readonly index: number;
  readonly sinceMs: number;
}

/** All plugins in their order. Which of them a request concerns is looked up once for each resource and operation. */
export class AdmissionChain {
  readonly metrics = new AdmissionMetrics();
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #clock: Clock;
  readonly #mutating = new WeakMap<ServedResource, Map<string, Plan>>();
  readonly #validating = new WeakMap<ServedResource, Map<string, Plan>>();

  constructor(plugins: readonly AdmissionPlugin[], clock: Clock) {
    this.#plugins = plugins;
    this.#clock = clock;
  }

  /** Names of the plugins, in order. */
  get names(): readonly string[] {
    return this.#plugins.map(({ name }) => name);
  }

  /** Lets plugins that index caches do so. */
  start(registry: Registry): void {
    for (const plugin of this.#plugins) plugin.start?.(registry);
  }

  /**
   * Runs what may change the object, a second time where somebody asked for that; a promise only where a plugin has to
   * wait. @throws ApiError of a refusal.
   */
  mutate(registry: Registry, attributes: AdmissionAttributes): void | Promise<void> {
    const plan = this.#plan(this.#mutating, 'mutate', attributes);
    const again = (): void | Promise<void> => {
      const { reinvocation } = attributes;
      if (reinvocation?.wanted !== true) return undefined;
      reinvocation.again = true;
      return this.#run(plan, registry, attributes);
    };
    const pending = this.#run(plan, registry, attributes);
    return pending === undefined ? again() : pending.then(again);
  }

  /** Runs what only looks; a promise only where a plugin has to wait. @throws ApiError of a refusal. */
  validate(registry: Registry, attributes: AdmissionAttributes): void | Promise<void> {
    return this.#run(this.#plan(this.#validating, 'validate', attributes), registry, attributes);
  }

  /** Both phases, for requests whose object is not an object to be stored: deletions, connections, evictions, tokens. */
  async check(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    await this.mutate(registry, attributes);
    await this.validate(registry, attributes);
  }

  #run(plan: Plan, registry: Registry, attributes: AdmissionAttributes): void | Promise<void> {
    const startedMs = this.#clock.monotonic();
    return this.#runFrom({ ...plan, startedMs }, registry, attributes, { index: 0, sinceMs: startedMs });
  }

  /** Most plugins answer at once, and most chains then do: only who waits makes the chain wait. */
  #runFrom(run: Run, registry: Registry, attributes: AdmissionAttributes, at: Place): void | Promise<void> {
    let { index, sinceMs } = at;
    for (; index < run.steps.length; index++) {
      const step = run.steps[index]!;
      let pending: void | Promise<void>;
      try {
        pending = step.admit(attributes, registry);
      } catch (error) {
        throw this.#refused(run, { index, sinceMs }, attributes, error);
      }
      if (pending !== undefined)
        return pending.then(
          () => this.#runFrom(run, registry, attributes, { index: index + 1, sinceMs: this.#passed(step, sinceMs) }),
          (error: unknown) => {
            throw this.#refused(run, { index, sinceMs }, attributes, error);
          },
        );
      sinceMs = this.#passed(step, sinceMs);
    }
    run.timing.accepted((sinceMs - run.startedMs) / 1000);
    return undefined;
  }

  /** @returns now. */
  #passed({ timing }: Step, sinceMs: number): number {
    const nowMs = this.#clock.monotonic();
    timing.accepted((nowMs - sinceMs) / 1000);
    return nowMs;
  }

  #refused({ steps, timing, startedMs }: Run, place: Place, attributes: AdmissionAttributes, error: unknown): unknown {
    const nowMs = this.#clock.monotonic();
    steps[place.index]!.timing.rejected((nowMs - place.sinceMs) / 1000);
    timing.rejected((nowMs - startedMs) / 1000);
    takeBack(attributes);
    return error;
  }

  #plan(
    known: WeakMap<ServedResource, Map<string, Plan>>,
    phase: AdmissionPhase,
    { operation, request: { resource, subresource } }: AdmissionAttributes,
  ): Plan {
    let plans = known.get(resource);
    if (plans === undefined) {
      plans = new Map();
      known.set(resource, plans);
    }
    const key = subresource === '' ? operation : `${operation} ${subresource}`;
    let plan = plans.get(key);
    if (plan === undefined) {
      plan = this.#makePlan(phase, operation, resource, subresource);
      plans.set(key, plan);
    }
    return plan;
  }

  #makePlan(phase: AdmissionPhase, operation: AdmissionOperation, { kind }: ServedResource, subresource: string): Plan {
    const path = `${kind.group}/${kind.resource}${subresource === '' ? '' : `/${subresource}`}`;
    const steps = this.#plugins.flatMap((plugin): Step[] => {
      const admit = plugin[phase]?.bind(plugin);
      const concerned = plugin.operations.includes(operation) && (plugin.resources?.includes(path) ?? true);
      if (admit === undefined || !concerned) return [];
      return [{ admit, timing: this.metrics.controller(plugin.name, phase, operation) }];
    });
    return { steps, timing: this.metrics.step(phase, operation) };
  }
}
