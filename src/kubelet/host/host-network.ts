import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Clock } from '#base/clock.ts';
import { grpcHealth } from './grpc-health.ts';
import type { GrpcHealth, HostNetwork, HttpProbeRequest, HttpProbeResponse, NetworkTarget } from './host.ts';

const maxBodyBytes = 10 * 1024;
const maxRedirects = 10;

/** Probes and hooks over the node's own network. Errors read as they do from Go, because users search for them. */
export function hostNetwork(clock: Clock): HostNetwork {
  return {
    httpGet: (request, signal) =>
      withDeadline(clock, request.timeoutMs, signal, (limit) => httpGet(request, limit, 0)).catch((error: unknown) => {
        signal.throwIfAborted();
        const url = urlOf(request);
        throw new Error(
          isTimeout(error)
            ? `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
            : `Get "${url}": ${goError(error, request)}`,
        );
      }),
    tcpConnect: (target, signal) =>
      withDeadline(clock, target.timeoutMs, signal, (limit) => tcpConnect(target, limit)).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new Error(isTimeout(error) ? `dial tcp ${place(target)}: i/o timeout` : goError(error, target));
      }),
    async grpcHealth(target, signal): Promise<GrpcHealth> {
      return grpcHealth(target, clock.now(), signal);
    },
  };
}

class DeadlineExceeded extends Error {}

async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const stop = () => limit.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const timer = clock.schedule(timeoutMs, () => limit.abort(new DeadlineExceeded()));
  try {
    return await work(limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DeadlineExceeded;
}

function place({ host, port }: NetworkTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function urlOf(request: HttpProbeRequest): string {
  return `${request.scheme}://${place(request)}${request.path}`;
}

function goError(error: unknown, target: NetworkTarget): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    EHOSTUNREACH: 'no route to host',
    ENETUNREACH: 'network is unreachable',
    ETIMEDOUT: 'connection timed out',
  };
  if (words[code] !== undefined) return `dial tcp ${place(target)}: connect: ${words[code]}`;
  if (code === 'ECONNRESET') return 'EOF';
  return error instanceof Error ? error.message : String(error);
}

function httpGet(probe: HttpProbeRequest, signal: AbortSignal, redirects: number): Promise<HttpProbeResponse> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | string[]> = {};
    for (const { name, value } of probe.headers) {
      const known = headers[name];
      headers[name] = known === undefined ? value : [known, value].flat();
    }
    const options = {
      host: probe.host,
      port: probe.port,
      path: probe.path,
      headers,
      signal,
      agent: false as const,
      // Certificates of pods are their own; probes only ask whether somebody answers.
      rejectUnauthorized: false,
    };
    const request = (probe.scheme === 'https' ? httpsRequest : httpRequest)(options, (response) => {
      const status = response.statusCode ?? 0;
      const next = redirectTarget(probe, status, response.headers.location);
      if (next !== undefined && redirects < maxRedirects) {
        response.destroy();
        httpGet(next, signal, redirects + 1).then(resolve, reject);
        return;
      }
      const parts: Buffer[] = [];
      let length = 0;
      const finish = () => resolve({ status, body: Buffer.concat(parts).toString('utf8') });
      response.on('data', (bytes: Buffer) => {
        parts.push(bytes.subarray(0, maxBodyBytes - length));
        length += bytes.length;
        if (length >= maxBodyBytes) {
          finish();
          response.destroy();
        }
      });
      response.on('end', finish);
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}

/** Redirects are followed on the same host; one that leads elsewhere counts as success (upstream's rule). */
function redirectTarget(
  probe: HttpProbeRequest,
  status: number,
  location: string | undefined,
): HttpProbeRequest | undefined {
  if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, urlOf(probe)))
    return undefined;
  const url = new URL(location, urlOf(probe));
  if (url.hostname !== probe.host) return undefined;
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return { ...probe, scheme, port, path: `${url.pathname}${url.search}` };
}

function tcpConnect({ host, port }: NetworkTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
