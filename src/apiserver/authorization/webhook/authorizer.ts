import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import { boolType, compile, dynType, fromJson, type Program } from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import type { SubjectAccessReview } from '#kinds/generated/types/authorization_v1.ts';
import type { Json } from '#machinery/meta.ts';
import { ConfiguredWebhook } from '../../webhooks/configured.ts';
import {
  type AccessAttributes,
  type Authorizer,
  type Awaitable,
  abstain,
  type Decision,
  type ListedRules,
  noOpinion,
} from '../authorizer.ts';
import type { AuthorizationWebhookOptions } from '../options.ts';
import { reviewSpec } from './review.ts';

const defaultAuthorizedTtlMs = 5 * 60_000;
const defaultUnauthorizedTtlMs = 30_000;
const defaultTimeoutMs = 30_000;
/** Answers that are remembered. */
const maxAnswers = 8192;
const conditionsCostLimit = 2_500_000;
const conditionsEnvironment = environmentWith({ variables: { request: dynType } });

interface Remembered {
  readonly decision: Awaitable<Decision>;
  readonly untilMs: number;
}

/** Asks a webhook with SubjectAccessReviews, and remembers its answers for a while. */
export class AuthorizationWebhook implements Authorizer {
  readonly #options: AuthorizationWebhookOptions;
  readonly #environment: Environment;
  readonly #webhook: ConfiguredWebhook;
  readonly #conditions: readonly Program[];
  readonly #answers = new LruCache<string, Remembered>(maxAnswers);

  /** @throws Error when a condition does not compile or the file leads nowhere. */
  constructor(options: AuthorizationWebhookOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#conditions = (options.matchConditions ?? []).map(compiledCondition);
    this.#webhook = new ConfiguredWebhook(options.configFile, environment.clock);
  }

  rulesFor(): ListedRules {
    return { rules: [], gap: 'webhook authorizer does not support user rule resolution' };
  }

  authorize(attributes: AccessAttributes): Awaitable<Decision> {
    const spec = reviewSpec(attributes);
    const skipped = this.#conditions.length === 0 ? undefined : this.#judge(spec);
    if (skipped !== undefined) return skipped;
    const key = JSON.stringify(spec);
    const known = this.#answers.get(key);
    if (known !== undefined && known.untilMs > this.#environment.clock.now()) return known.decision;
    const asked = this.#ask(key, spec);
    // Requests that come meanwhile wait for the same answer.
    this.#answers.set(key, { decision: asked, untilMs: Number.POSITIVE_INFINITY });
    return asked;
  }

  /** What conditions decide by themselves; undefined when the webhook has to be asked. */
  #judge(spec: object): Decision | undefined {
    const request = fromJson(spec as Json);
    let error: string | undefined;
    for (const program of this.#conditions) {
      const outcome = program.evaluate({ request }, { costLimit: conditionsCostLimit });
      if ('error' in outcome) error = outcome.error;
      else if (outcome.value === false) return noOpinion;
    }
    return error === undefined ? undefined : this.#failed(`matchConditions: ${error}`);
  }

  async #ask(key: string, spec: object): Promise<Decision> {
    const { version = 'v1', timeoutMs = defaultTimeoutMs } = this.#options;
    try {
      const review = { kind: 'SubjectAccessReview', apiVersion: `authorization.k8s.io/${version}`, metadata: {}, spec };
      const { status } = ((await this.#webhook.post(review, timeoutMs)) ?? {}) as Partial<SubjectAccessReview>;
      if (status?.allowed === true && status.denied === true)
        throw new Error('webhook subject access review returned both allow and deny response');
      const decision = decisionOf(status);
      this.#remember(key, decision);
      return decision;
    } catch (error) {
      this.#answers.delete(key);
      this.#environment.log.warn('the authorisation webhook cannot be asked', { error: String(error) });
      return this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  #remember(key: string, decision: Decision): void {
    const { authorizedTtlMs = defaultAuthorizedTtlMs, unauthorizedTtlMs = defaultUnauthorizedTtlMs } = this.#options;
    const ttlMs = decision.outcome === 'allow' ? authorizedTtlMs : unauthorizedTtlMs;
    if (ttlMs === 0) this.#answers.delete(key);
    else this.#answers.set(key, { decision, untilMs: this.#environment.clock.now() + ttlMs });
  }

  #failed(error: string): Decision {
    if (this.#options.failurePolicy === 'Deny') return { outcome: 'deny', reason: '', error };
    return { outcome: 'noOpinion', reason: '', error };
  }

  close(): void {
    this.#webhook.close();
  }
}

function decisionOf(status: SubjectAccessReview['status']): Decision {
  const reason = status?.reason ?? '';
  if (status?.denied === true) return { outcome: 'deny', reason };
  if (status?.allowed === true) return { outcome: 'allow', reason };
  const error = status?.evaluationError ?? '';
  return error === '' ? abstain(reason) : { outcome: 'noOpinion', reason, error };
}

function compiledCondition(source: string): Program {
  const compiled = compile(source, conditionsEnvironment);
  const at = `matchConditions: ${JSON.stringify(source)}`;
  if (compiled.program === undefined) throw new Error(`${at}: compilation failed: ${compiled.message}`);
  const { kind } = compiled.program.type;
  if (kind !== boolType.kind && kind !== dynType.kind) throw new Error(`${at}: must evaluate to bool`);
  return compiled.program;
}
