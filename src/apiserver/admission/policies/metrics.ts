import type { Clock } from '#base/clock.ts';
import type { Metrics } from '#base/metrics.ts';

/** Seconds: upstream's bounds for expressions. */
const checkBounds = [0.000_000_5, 0.001, 0.01, 0.1, 1];
/** Seconds: Prometheus' own. */
const celBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What went wrong with an expression. */
export type CheckError = 'compile_error' | 'invalid_error' | 'out_of_budget' | 'no_error';

/** Which kind of words failures of expressions are. */
export function checkErrorOf(message: string): CheckError {
  if (message.includes('compilation')) return 'compile_error';
  return message.includes('cost budget') ? 'out_of_budget' : 'invalid_error';
}

export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  readonly error: CheckError;
  /** What was done about it (`deny`, `audit`, …); of validating policies alone. */
  readonly action?: string;
  readonly seconds: number;
}

/** `apiserver_cel_*`, `apiserver_validating_admission_policy_*` and `apiserver_mutating_admission_policy_*`. */
export class PolicyMetrics {
  readonly #compilations;
  readonly #evaluations;
  readonly #checks;

  constructor(metrics: Metrics) {
    this.#compilations = metrics
      .histogram('apiserver_cel_compilation_duration_seconds', 'How long compiling a policy took.', celBounds)
      .series({});
    this.#evaluations = metrics
      .histogram('apiserver_cel_evaluation_duration_seconds', 'How long asking a policy took.', celBounds)
      .series({});
    const checksOf = (type: 'validating' | 'mutating') => ({
      total: metrics.counter(`apiserver_${type}_admission_policy_check_total`, 'Decisions of policies.'),
      seconds: metrics.histogram(
        `apiserver_${type}_admission_policy_check_duration_seconds`,
        'How long those took.',
        checkBounds,
      ),
    });
    this.#checks = { validating: checksOf('validating'), mutating: checksOf('mutating') };
  }

  compiling<T>(clock: Clock, work: () => T): T {
    const since = clock.monotonic();
    const result = work();
    this.#compilations((clock.monotonic() - since) / 1000);
    return result;
  }

  evaluated(seconds: number): void {
    this.#evaluations(seconds);
  }

  checked(type: 'validating' | 'mutating', { policy, binding, error, action, seconds }: PolicyCheck): void {
    const labels = {
      policy,
      policy_binding: binding,
      error_type: error,
      ...(action === undefined ? {} : { enforcement_action: action }),
    };
    const checks = this.#checks[type];
    checks.total.add(labels);
    checks.seconds.observe(labels, seconds);
  }
}
