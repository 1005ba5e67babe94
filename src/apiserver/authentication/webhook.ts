import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import type { TokenReview } from '#kinds/generated/types/authentication_v1.ts';
import type { UserInfo } from '../registry/operation.ts';
import { ConfiguredWebhook } from '../webhooks/configured.ts';
import type { TokenWebhookOptions } from './options.ts';
import type { TokenAnswer, TokenAuthenticator } from './token-authenticator.ts';

const defaultTtlMs = 120_000;
const timeoutMs = 30_000;
/** Answers that are remembered. */
const maxAnswers = 4096;

interface Remembered {
  readonly answer: TokenAnswer | Promise<TokenAnswer>;
  readonly untilMs: number;
}

/** Asks a webhook who is behind a token, with a TokenReview. */
export class TokenWebhook implements TokenAuthenticator {
  readonly #webhook: ConfiguredWebhook;
  readonly #options: TokenWebhookOptions;
  readonly #environment: Environment;
  readonly #apiAudiences: readonly string[];
  readonly #answers = new LruCache<string, Remembered>(maxAnswers);

  constructor(
    options: TokenWebhookOptions,
    context: { readonly environment: Environment; readonly apiAudiences: readonly string[] },
  ) {
    this.#options = options;
    this.#environment = context.environment;
    this.#apiAudiences = context.apiAudiences;
    this.#webhook = new ConfiguredWebhook(options.configFile, context.environment.clock);
  }

  authenticate(token: string, audiences: readonly string[]): TokenAnswer | Promise<TokenAnswer> {
    const key = `${audiences.join(' ')}\n${token}`;
    const now = this.#environment.clock.now();
    const known = this.#answers.get(key);
    if (known !== undefined && known.untilMs > now) return known.answer;
    const untilMs = now + (this.#options.cacheTtlMs ?? defaultTtlMs);
    const asked = this.#ask(token, audiences);
    this.#answers.set(key, { answer: asked, untilMs });
    return asked.then(
      (answer) => {
        this.#answers.set(key, { answer, untilMs });
        return answer;
      },
      (error: unknown) => {
        // A webhook that cannot be reached may be there for the next request.
        this.#answers.delete(key);
        return { outcome: 'refused', error: error instanceof Error ? error.message : String(error) };
      },
    );
  }

  async #ask(token: string, audiences: readonly string[]): Promise<TokenAnswer> {
    const version = this.#options.version ?? 'v1';
    const review = {
      kind: 'TokenReview',
      apiVersion: `authentication.k8s.io/${version}`,
      metadata: {},
      spec: { token, audiences },
    };
    const { status } = ((await this.#webhook.post(review, timeoutMs)) ?? {}) as Partial<TokenReview>;
    if (status?.authenticated !== true) {
      const error = status?.error ?? '';
      return error === '' ? { outcome: 'unknown' } : { outcome: 'refused', error };
    }
    const { username: name = '', uid, groups = [], extra } = status.user ?? {};
    const user: UserInfo = {
      name,
      ...(uid === undefined ? {} : { uid }),
      groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'],
      ...(extra === undefined ? {} : { extra }),
    };
    // A webhook that knows nothing of audiences speaks for those of the API.
    const meant = status.audiences ?? this.#apiAudiences;
    const shared = audiences.filter((audience) => meant.includes(audience));
    if (shared.length === 0) return { outcome: 'unknown' };
    return { outcome: 'authenticated', user, audiences: shared };
  }

  close(): void {
    this.#webhook.close();
  }
}
