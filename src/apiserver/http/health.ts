import { sleep } from '#base/clock.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ApiServer } from '../server.ts';
import { addHeaders, sendBytes } from './answer.ts';
import type { Exchange } from './handler.ts';

/** A part of the server whose health `/livez` and `/readyz` tell. */
export interface HealthCheck {
  readonly name: string;
  /** Undefined when healthy, else why not. */
  readonly check: () => string | undefined | Promise<string | undefined>;
}

export interface HealthChecks {
  /** A server that fails one of these is to be restarted. */
  readonly live: readonly HealthCheck[];
  /** A server that fails one of these is to be left alone for now. */
  readonly ready: readonly HealthCheck[];
}

/** The store has this long to answer, as upstream's health check of etcd. */
const defaultStoreTimeoutMs = 2000;

/**
 * What upstream starts while it serves already, and tools look for by name. Here all of it is done before the first
 * request is taken, so that whoever can ask finds it done.
 */
const started: readonly string[] = [
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/generic-apiserver-start-informers',
  'poststarthook/priority-and-fairness-config-consumer',
  'poststarthook/start-apiextensions-informers',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/crd-informer-synced',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-system-namespaces-controller',
  'poststarthook/start-service-ip-repair-controllers',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/start-cluster-authentication-info-controller',
  'poststarthook/start-kube-aggregator-informers',
  'poststarthook/apiservice-registration-controller',
  'poststarthook/apiservice-status-local-available-controller',
  'poststarthook/apiservice-status-remote-available-controller',
  'poststarthook/apiservice-discovery-controller',
  'poststarthook/kube-apiserver-autoregistration',
  'autoregister-completion',
  'poststarthook/apiservice-openapi-controller',
  'poststarthook/apiservice-openapiv3-controller',
];

/**
 * The checks that tools know from upstream by name. `stopping` aborts when the server is about to end;
 * `canLog` tells whether anybody still takes what it logs.
 */
export function healthChecks(
  server: ApiServer,
  {
    stopping,
    canLog = () => true,
    storeTimeoutMs = defaultStoreTimeoutMs,
    storeReadyTimeoutMs = defaultStoreTimeoutMs,
  }: {
    readonly stopping: AbortSignal;
    readonly canLog?: () => boolean;
    readonly storeTimeoutMs?: number;
    readonly storeReadyTimeoutMs?: number;
  },
): HealthChecks {
  const live: readonly HealthCheck[] = [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => (canLog() ? undefined : 'nobody takes the log any more') },
    // The store bears the name of what stands in its place.
    { name: 'etcd', check: () => readStore(server, storeTimeoutMs) },
    ...started.map((name) => ({ name, check: () => undefined })),
  ];
  const ready: readonly HealthCheck[] = [
    ...(server.encryption === undefined ? [] : [{ name: 'kms-providers', check: () => server.encryption?.problem }]),
    { name: 'etcd-readiness', check: () => readStore(server, storeReadyTimeoutMs) },
    { name: 'informer-sync', check: () => closedCaches(server) },
    { name: 'shutdown', check: () => (stopping.aborted ? 'process is shutting down' : undefined) },
  ];
  return { live, ready: [...live, ...ready] };
}

async function readStore({ registry, environment }: ApiServer, timeoutMs: number): Promise<string | undefined> {
  const stop = new AbortController();
  const late = sleep(environment.clock, timeoutMs, stop.signal).then(
    () => 'the store does not answer',
    () => undefined,
  );
  try {
    const { store } = registry;
    const asked = store.fresh === undefined ? store.get('/registry/health') : store.fresh();
    return await Promise.race([asked.then(() => undefined), late]);
  } catch (error) {
    return String(error);
  } finally {
    stop.abort();
  }
}

function closedCaches({ resources }: ApiServer): string | undefined {
  const closed = [...resources.all()].filter(({ storage }) => storage?.cache.closed === true);
  if (closed.length === 0) return undefined;
  return `not following the store: ${closed.map(({ kind }) => kind.resource).join(', ')}`;
}

/**
 * Answers `/livez`, `/readyz`, `/healthz` and the paths of single checks below them: `ok`, or the checks line by line
 * with `?verbose` or when one fails. Why a check failed stands in the log and at its own path.
 */
export async function serveHealth(
  exchange: Exchange,
  checks: readonly HealthCheck[],
  name: string,
  only: string | undefined,
): Promise<void> {
  const excluded = new Set(exchange.query.getAll('exclude'));
  const wanted = checks.filter((check) => only === undefined || check.name === only);
  if (only !== undefined && wanted.length === 0)
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  // Upstream says this of the whole, and of a single check only when it fails.
  if (only === undefined) addHeaders(exchange.response, { 'x-content-type-options': 'nosniff' });
  const results = await Promise.all(
    wanted.map((check) => resultOf(check, only === undefined && excluded.has(check.name))),
  );
  const failed = results.filter(({ failure }) => failure !== undefined);
  for (const { name: part, failure, isExcluded } of results)
    if (!isExcluded) exchange.metrics.health.checked(part, name, failure === undefined);
  const { log } = exchange.server.environment;
  for (const { name: part, failure } of failed) log.warn(`${name} check failed`, { part, failure });
  if (failed.length === 0 && !exchange.query.has('verbose')) return sendText(exchange, 200, 'ok');
  if (only !== undefined && failed.length > 0)
    return sendText(exchange, 500, `internal server error: ${failed[0]!.failure}\n`);
  const lines = results.map(({ name: part, failure, isExcluded }) => {
    if (isExcluded) return `[+]${part} excluded: ok`;
    return failure === undefined ? `[+]${part} ok` : `[-]${part} failed: reason withheld`;
  });
  const known = new Set(checks.map((check) => check.name));
  const unknown = [...excluded].filter((check) => !known.has(check)).map((check) => JSON.stringify(check));
  if (unknown.length > 0)
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(', ')}`);
  lines.push(`${name} check ${failed.length === 0 ? 'passed' : 'failed'}`);
  sendText(exchange, failed.length === 0 ? 200 : 500, `${lines.join('\n')}\n`);
}

interface HealthResult {
  readonly name: string;
  readonly failure: string | undefined;
  /** Nobody asked for it. */
  readonly isExcluded: boolean;
}

async function resultOf({ name, check }: HealthCheck, isExcluded: boolean): Promise<HealthResult> {
  return { name, failure: isExcluded ? undefined : await check(), isExcluded };
}

function sendText({ response }: Exchange, status: number, text: string): void {
  sendBytes(response, status, 'text/plain; charset=utf-8', Buffer.from(text));
}
