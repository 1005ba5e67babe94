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

  /** Runs what may change the object, a second time where somebody asked for that. @throws ApiError of a refusal. */
  async mutate(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    const plan = this.#plan(this.#mutating, 'mutate', attributes);
    await this.#run(plan, registry, attributes);
    const { reinvocation } = attributes;
    if (reinvocation?.wanted !== true) return;
    reinvocation.again = true;
    await this.#run(plan, registry, attributes);
  }

  /** Runs what only looks. @throws ApiError of a refusal. */
  validate(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    return this.#run(this.#plan(this.#validating, 'validate', attributes), registry, attributes);
  }

  /** Both phases, for requests whose object is not an object to be stored: deletions, connections, evictions, tokens. */
  async check(registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    await this.mutate(registry, attributes);
    await this.validate(registry, attributes);
  }

  async #run({ steps, timing }: Plan, registry: Registry, attributes: AdmissionAttributes): Promise<void> {
    const startedMs = this.#clock.monotonic();
    let sinceMs = startedMs;
    let current: Step | undefined;
    try {
      for (const step of steps) {
        current = step;
        const pending = step.admit(attributes, registry);
        if (pending !== undefined) await pending;
        const nowMs = this.#clock.monotonic();
        step.timing.accepted((nowMs - sinceMs) / 1000);
        sinceMs = nowMs;
      }
      timing.accepted((sinceMs - startedMs) / 1000);
    } catch (error) {
      const nowMs = this.#clock.monotonic();
      current?.timing.rejected((nowMs - sinceMs) / 1000);
      timing.rejected((nowMs - startedMs) / 1000);
      takeBack(attributes);
      throw error;
    }
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
