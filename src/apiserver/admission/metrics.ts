import { Metrics, type Series } from '#base/metrics.ts';
import type { AdmissionOperation } from './plugin.ts';
import { PolicyMetrics } from './policies/metrics.ts';

/** Seconds: upstream's bounds for admission. */
const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const webhookBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];

export type AdmissionPhase = 'mutate' | 'validate';
const phaseNames = { mutate: 'admit', validate: 'validate' } as const;

/** How long one plugin or one phase took over one operation, by whether it refused. */
export interface Timing {
  readonly accepted: Series;
  readonly rejected: Series;
}

/** `apiserver_admission_*`, under upstream's names. */
export class AdmissionMetrics {
  readonly #metrics = new Metrics();
  readonly #steps = this.#metrics.histogram(
    'apiserver_admission_step_admission_duration_seconds',
    'How long each phase of admission took.',
    bounds,
  );
  readonly #controllers = this.#metrics.histogram(
    'apiserver_admission_controller_admission_duration_seconds',
    'How long each built-in admission plugin took.',
    bounds,
  );
  /** How long webhooks took: labels `name`, `type`, `operation`, `rejected`. */
  readonly webhookDurations = this.#metrics.histogram(
    'apiserver_admission_webhook_admission_duration_seconds',
    'How long admission webhooks took.',
    webhookBounds,
  );
  readonly webhookRequests = this.#metrics.counter(
    'apiserver_admission_webhook_request_total',
    'Calls of admission webhooks by answer code.',
  );
  readonly webhookRejections = this.#metrics.counter(
    'apiserver_admission_webhook_rejection_count',
    'Requests that webhooks refused, or that failed because of them.',
  );
  readonly webhookFailOpen = this.#metrics.counter(
    'apiserver_admission_webhook_fail_open_count',
    'Calls that failed and were let through.',
  );
  readonly matchConditionErrors = this.#metrics.counter(
    'apiserver_admission_match_condition_evaluation_errors_total',
    'Match conditions that could not be evaluated.',
  );
  readonly matchConditionExclusions = this.#metrics.counter(
    'apiserver_admission_match_condition_exclusions_total',
    'Requests that match conditions kept from a webhook.',
  );

  readonly policies: PolicyMetrics = new PolicyMetrics(this.#metrics);

  step(phase: AdmissionPhase, operation: AdmissionOperation): Timing {
    return timing((rejected) => this.#steps.series({ operation, rejected, type: phaseNames[phase] }));
  }

  controller(name: string, phase: AdmissionPhase, operation: AdmissionOperation): Timing {
    return timing((rejected) => this.#controllers.series({ name, operation, rejected, type: phaseNames[phase] }));
  }

  /** Where a plugin adds metrics of its own. */
  get registry(): Metrics {
    return this.#metrics;
  }

  render(): string {
    return this.#metrics.render();
  }
}

function timing(series: (rejected: string) => Series): Timing {
  return { accepted: series('false'), rejected: series('true') };
}
