import { exponentialBounds, type Metrics, type Series } from '#base/metrics.ts';
import type { UserInfo } from '../registry/operation.ts';

const bounds = exponentialBounds(0.001, 2, 15);
const filterBounds = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5, 10, 15, 30];
const [hour, day] = [3600, 86_400];
/** Seconds: from half an hour to a year. */
const certificateBounds = [
  0,
  ...[0.5, 1, 2, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 4, 7, 30, 90, 180, 360].map((days) => days * day),
];

/** What came of authentication or authorisation, in upstream's words. */
type AuthenticationResult = 'success' | 'failure';
type AuthorizationResult = 'allowed' | 'no-opinion';

/** Users that are told apart; all others are one, for names are many. */
const namedUsers = new Set(['admin', 'client', 'kube_proxy', 'kubelet', 'system:serviceaccount:kube-system:default']);

/** `authentication_*` and `authorization_*`. */
export class AccessMetrics {
  readonly #users: (name: string) => Series;
  readonly #authentication: Readonly<Record<AuthenticationResult, readonly [Series, Series]>>;
  readonly #authorization: Readonly<Record<AuthorizationResult, readonly [Series, Series]>>;
  readonly #filters: Readonly<Record<'authentication' | 'authorization', Series>>;
  readonly #byName = new Map<string, Series>();
  /** Seconds that the certificate of a request is still good for. */
  readonly certificateLeft: Series;

  constructor(metrics: Metrics) {
    const users = metrics.counter('authenticated_user_requests', 'Requests by the user that was believed.');
    this.#users = (username) => users.series({ username });
    const attempts = metrics.counter('authentication_attempts', 'Attempts to authenticate.');
    const times = metrics.histogram('authentication_duration_seconds', 'How long authentication took.', bounds);
    const tried = (result: AuthenticationResult) => [attempts.series({ result }), times.series({ result })] as const;
    this.#authentication = { success: tried('success'), failure: tried('failure') };
    this.certificateLeft = metrics
      .histogram(
        'apiserver_client_certificate_expiration_seconds',
        'How much longer the certificates of clients are good.',
        certificateBounds,
      )
      .series({});
    const filters = metrics.histogram(
      'apiserver_request_filter_duration_seconds',
      'How long requests took to go through each filter.',
      filterBounds,
    );
    this.#filters = {
      authentication: filters.series({ filter: 'authentication' }),
      authorization: filters.series({ filter: 'authorization' }),
    };
    const decisions = metrics.counter(
      'authorization_attempts_total',
      'Questions for authorisation by what came of them.',
    );
    const spans = metrics.histogram('authorization_duration_seconds', 'How long authorisation took.', bounds);
    const asked = (result: AuthorizationResult) => [decisions.series({ result }), spans.series({ result })] as const;
    this.#authorization = { allowed: asked('allowed'), 'no-opinion': asked('no-opinion') };
  }

  /** @param user undefined: was not believed. */
  authenticated(user: UserInfo | undefined, seconds: number): void {
    const [attempts, duration] = this.#authentication[user === undefined ? 'failure' : 'success'];
    attempts(1);
    duration(seconds);
    this.#filters.authentication(seconds);
    if (user !== undefined) this.#countOf((user.actor ?? user).name)(1);
  }

  authorized(result: AuthorizationResult, seconds: number): void {
    const [decisions, duration] = this.#authorization[result];
    decisions(1);
    duration(seconds);
    this.#filters.authorization(seconds);
  }

  #countOf(user: string): Series {
    const name = namedUsers.has(user) ? user : user.includes('@') ? 'email_id' : 'other';
    let series = this.#byName.get(name);
    if (series === undefined) {
      series = this.#users(name);
      this.#byName.set(name, series);
    }
    return series;
  }
}
