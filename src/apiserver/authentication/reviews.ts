import type { TokenReview } from '#kinds/generated/types/authentication_v1.ts';
import { badRequest } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';
import type { Operation, UserInfo } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';

/** TokenReview: who is behind a token, and for which of the asked audiences. */
export async function reviewToken(registry: Registry, { body }: Operation): Promise<object> {
  const { spec, metadata, status: before } = body as TokenReview;
  const { token = '' } = spec;
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const asked = spec.audiences ?? [];
  const { authenticator } = registry;
  const answer = await authenticator.reviewToken(token, asked.length === 0 ? authenticator.apiAudiences : asked);
  if (answer.outcome === 'refused') {
    // Upstream says what it found in what was sent, and sends the rest back.
    const { authenticated: _, ...kept } = before ?? {};
    return { metadata, spec, status: { user: {}, ...kept, error: answer.error } };
  }
  // Who named no audience did not ask for any: they get the server's own.
  const audiences = answer.audiences.length === 0 && asked.length === 0 ? authenticator.apiAudiences : answer.audiences;
  return { metadata, spec, status: { authenticated: true, user: userView(answer.user), audiences } };
}

/** SelfSubjectReview: who am I. */
export function reviewSelf({ environment }: Registry, { user }: Operation): object {
  const metadata = { creationTimestamp: formatTime(environment.clock.now()) };
  return { metadata, status: { userInfo: userView(user) } };
}

/** A user as authentication/v1 UserInfo. */
function userView({ name, uid, groups, extra }: UserInfo): object {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}
