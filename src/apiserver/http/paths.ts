import { ApiError } from '#machinery/errors.ts';
import { serveDiscovery } from '../discovery/serve.ts';
import type { FlowControl } from '../fairness/flow-control.ts';
import { debugPage } from '../fairness/metrics.ts';
import type { OpenApi } from '../openapi/serve.ts';
import { addHeaders, sendBytes } from './answer.ts';
import { acceptsGzip } from './compression.ts';
import { encodePretty } from './encode.ts';
import type { Exchange } from './handler.ts';
import { type HealthChecks, serveHealth } from './health.ts';
import type { ServerMetrics } from './metrics.ts';
import { checkProduced, mediaTypes } from './negotiation.ts';
import { isBuiltInPlace } from './plain-failures.ts';
import { serveProfile } from './profiles.ts';
import type { PathRequest } from './request-info.ts';
import { methodNotAllowed } from './served-methods.ts';
import { versionInfo } from './version.ts';

export interface PathOptions {
  readonly health: HealthChecks;
  readonly metrics: ServerMetrics;
  readonly openApi: OpenApi;
  /** `HOST:PORT` where clients are told to find this server; '' unless set. */
  readonly serverAddress?: () => string;
  /** Whether profiles are given out; true unless set (`--profiling`). */
  readonly profiling?: boolean;
}

/** Names of metrics hold no character that has to be escaped, which is said as Prometheus' library says it. */
const metricsType = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
const keySetType = 'application/jwk-set+json';

/** Everything outside the resources: health, version, discovery, OpenAPI, metrics, token keys. */
export function pathRoutes(options: PathOptions): (exchange: Exchange, info: PathRequest) => Promise<void> {
  return async (exchange, { path, verb }) => {
    const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    const { response, server, request } = exchange;
    const produced = producedAt[trimmed];
    // What upstream has a router for: not its lists of groups and versions, nor pages such as those of health.
    const isList = /^\/apis(\/[^/]*)?$/.test(trimmed);
    const isRouted = produced !== undefined || (!isList && isBuiltInPlace(server.resources, trimmed));
    if (isRouted && verb !== 'get') throw methodNotAllowed();
    if (produced !== undefined) checkProduced(request.headers.accept, [produced]);
    if (compressedPages.has(trimmed)) response.takesGzip = acceptsGzip(request.headers['accept-encoding']);
    const settling = server.settledResources();
    if (settling !== undefined) await settling;
    const health = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(trimmed);
    if (health !== null)
      return serveHealth(
        exchange,
        health[1] === 'readyz' ? options.health.ready : options.health.live,
        health[1]!,
        health[2],
      );
    switch (trimmed) {
      case '/':
        return sendPretty(exchange, { paths: rootPaths(exchange) });
      case '/version':
        return sendPretty(exchange, versionInfo);
      case '/metrics':
        if (request.method === 'DELETE') return resetMetrics(exchange, options.metrics);
        return sendText(exchange, 200, options.metrics.render(), metricsType);
      case '/metrics/slis':
        return sendText(exchange, 200, options.metrics.health.render(), metricsType);
      case '/openid/v1/jwks':
        return sendForTokens(exchange, keySetType, server.registry.tokens.keySet());
      case '/.well-known/openid-configuration':
        return sendForTokens(exchange, mediaTypes.json, server.registry.tokens.discoveryDocument(jwksUri(server)));
    }
    const page = server.fairness === undefined ? undefined : flowPage(server.fairness, trimmed);
    if (page !== undefined) return sendText(exchange, 200, page);
    if (trimmed.startsWith('/openapi/') && (await options.openApi.serve(exchange, trimmed))) return;
    const mayProfile = options.profiling !== false && trimmed.startsWith('/debug/');
    if (mayProfile && (await serveProfile(exchange, trimmed))) return;
    if (serveDiscovery(exchange, trimmed, { isRouted, serverAddress: options.serverAddress?.() ?? '' })) return;
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  };
}

/** Pages that come in one form. */
const producedAt: Readonly<Record<string, string>> = {
  '/version': mediaTypes.json,
  '/openid/v1/jwks': keySetType,
  '/.well-known/openid-configuration': mediaTypes.json,
};

/** Long pages that upstream compresses, too. */
const compressedPages = new Set(['/metrics', '/openapi/v2']);
const flowPages = '/debug/api_priority_and_fairness/';

function flowPage(control: FlowControl, path: string): string | undefined {
  return path.startsWith(flowPages) ? debugPage(control, path.slice(flowPages.length)) : undefined;
}

function sendText(
  { response }: Exchange,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  sendBytes(response, status, contentType, Buffer.from(text));
}

function resetMetrics(exchange: Exchange, metrics: ServerMetrics): void {
  metrics.reset();
  sendText(exchange, 200, 'metrics reset\n');
}

function sendPretty({ response }: Exchange, value: object): void {
  sendBytes(response, 200, mediaTypes.json, encodePretty(value));
}

/** What those who check tokens ask for: they may keep it for an hour. */
function sendForTokens({ response }: Exchange, contentType: string, document: object): void {
  addHeaders(response, { 'cache-control': 'public, max-age=3600' });
  sendBytes(response, 200, contentType, Buffer.from(JSON.stringify(document)));
}

function rootPaths({ server }: Exchange): readonly string[] {
  const groups = new Set<string>(['/api', '/api/v1', '/apis']);
  for (const { kind } of server.resources.all()) {
    if (kind.group !== '') groups.add(`/apis/${kind.group}`).add(`/apis/${kind.group}/${kind.version}`);
  }
  return [
    ...groups,
    '/healthz',
    '/livez',
    '/metrics',
    '/metrics/slis',
    '/.well-known/openid-configuration',
    '/openapi/v2',
    '/openapi/v3',
    '/openid/v1/jwks',
    '/readyz',
    '/version',
  ].sort();
}

function jwksUri({ registry }: Exchange['server']): string {
  return registry.tokenPolicy.jwksUri ?? `${registry.tokens.issuer.replace(/\/$/, '')}/openid/v1/jwks`;
}
