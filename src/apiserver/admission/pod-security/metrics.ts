import type { Counter, Metrics, Series } from '#base/metrics.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { newestMinor } from './evaluate.ts';
import type { LevelVersion, Mode } from './policy.ts';

export type Decision = 'allow' | 'deny';

/** `pod_security_*`, under upstream's names and labels. */
export class PodSecurityMetrics {
  readonly #evaluations: Counter;
  readonly #exemptions: Counter;
  readonly #errors: Counter;
  readonly #series = new Map<string, Series>();

  constructor(metrics: Metrics) {
    this.#evaluations = metrics.counter(
      'pod_security_evaluations_total',
      'Number of policy evaluations that occurred, not counting ignored or exempt requests.',
    );
    this.#exemptions = metrics.counter(
      'pod_security_exemptions_total',
      'Number of exempt requests, not counting ignored or out of scope requests.',
    );
    this.#errors = metrics.counter(
      'pod_security_errors_total',
      'Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being used for evaluation.',
    );
  }

  evaluated(attributes: AdmissionAttributes, mode: Mode, decision: Decision, { level, version }: LevelVersion): void {
    const { operation, request } = attributes;
    const { subresource } = request;
    const { resource } = request.resource.kind;
    // Every pod comes by here: no labels are put together for those that are like one before.
    const key = `${decision} ${mode} ${level} ${version} ${operation} ${resource} ${subresource}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = this.#evaluations.series({
        decision,
        mode,
        policy_level: level,
        policy_version: versionLabel(version),
        ...labelsOf(attributes),
      });
      this.#series.set(key, series);
    }
    series(1);
  }

  exempted(attributes: AdmissionAttributes): void {
    this.#exemptions.add(labelsOf(attributes));
  }

  failed(attributes: AdmissionAttributes, { fatal }: { readonly fatal: boolean }): void {
    this.#errors.add({ fatal: String(fatal), ...labelsOf(attributes) });
  }
}

/** Versions that are yet to come are one: labels of namespaces shall not make series without end. */
function versionLabel(version: LevelVersion['version']): string {
  if (version === 'latest') return version;
  return version > newestMinor ? 'future' : `v1.${version}`;
}

function labelsOf({ operation, request: { resource, subresource } }: AdmissionAttributes) {
  const names: Readonly<Record<string, string>> = { pods: 'pod', namespaces: 'namespace' };
  return {
    request_operation: operation.toLowerCase(),
    resource: names[resource.kind.resource] ?? 'controller',
    subresource,
  };
}
