import type { Awaitable } from '../authorization/authorizer.ts';
import type { UserInfo } from '../registry/operation.ts';

/** What somebody who knows tokens says of one. */
export type TokenAnswer =
  | {
      readonly outcome: 'authenticated';
      readonly user: UserInfo;
      /** Those of the asked audiences that the token is for. */
      readonly audiences: readonly string[];
      /** For the audit log. */
      readonly annotations?: Readonly<Record<string, string>>;
    }
  /** Not one of theirs: others may know it. */
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'refused'; readonly error: string };

/**
 * What is said of a token that names no audience: it is for this API, and no token at all to who asks for others alone.
 */
export function forThisApi(
  answer: TokenAnswer,
  audiences: readonly string[],
  apiAudiences: readonly string[],
): TokenAnswer {
  if (answer.outcome !== 'authenticated') return answer;
  const both = audiences.filter((one) => apiAudiences.includes(one));
  return both.length === 0 && audiences.length > 0 ? { outcome: 'unknown' } : { ...answer, audiences: both };
}

/** One kind of bearer token. */
export interface TokenAuthenticator {
  /** @param audiences that the token has to be for at least one of. */
  authenticate(token: string, audiences: readonly string[]): Awaitable<TokenAnswer>;
}
