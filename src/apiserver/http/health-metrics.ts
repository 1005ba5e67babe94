import { Metrics } from '#base/metrics.ts';

/** The page `/metrics/slis` (KEP-3466): how each part of the server was when somebody last asked, and how often it was well and ill. */
export class HealthMetrics {
  readonly #last = new Map<string, { readonly name: string; readonly type: string; readonly value: number }>();
  readonly #page = new Metrics();
  readonly #total = this.#page.counter('kubernetes_healthchecks_total', 'Checks of health, and what they found.');

  constructor() {
    this.#page.gauge('kubernetes_healthcheck', 'What a check of health last found: 1 where all was well.', () =>
      [...this.#last.values()].map(({ name, type, value }) => [{ name, type }, value] as const),
    );
  }

  /** @param type the page that was asked for: `healthz`, `livez` or `readyz` */
  checked(name: string, type: string, isWell: boolean): void {
    this.#last.set(`${type} ${name}`, { name, type, value: Number(isWell) });
    this.#total.add({ name, type, status: isWell ? 'success' : 'error' });
  }

  render(): string {
    return this.#page.render();
  }
}
