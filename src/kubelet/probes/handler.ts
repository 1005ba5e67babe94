import type { Container, HTTPGetAction } from '#kinds/generated/types/core_v1.ts';
import type { HttpProbeRequest, NetworkTarget } from '../host/host.ts';

/** The number of a port that a probe or hook names. Throws when the container has no such port. */
function portNumber(container: Container, port: number | string): number {
  if (typeof port === 'number') return checked(port);
  const named = container.ports?.find(({ name }) => name === port);
  if (named !== undefined) return checked(named.containerPort);
  if (/^\d+$/.test(port)) return checked(Number(port));
  throw new Error(`couldn't find port: ${port}`);
}

function checked(port: number): number {
  if (port > 0 && port < 65_536) return port;
  throw new Error(`invalid port number: ${port}`);
}

export function httpRequest(
  action: HTTPGetAction,
  container: Container,
  options: { readonly podIp: string; readonly timeoutMs: number; readonly userAgent: string },
): HttpProbeRequest {
  const headers = (action.httpHeaders ?? []).map(({ name, value }) => ({ name, value }));
  const has = (wanted: string) => headers.some(({ name }) => name.toLowerCase() === wanted);
  if (!has('user-agent')) headers.push({ name: 'User-Agent', value: options.userAgent });
  if (!has('accept')) headers.push({ name: 'Accept', value: '*/*' });
  const path = action.path === undefined || action.path === '' ? '/' : action.path;
  return {
    scheme: action.scheme?.toLowerCase() === 'https' ? 'https' : 'http',
    host: action.host || options.podIp,
    port: portNumber(container, action.port),
    path: path.startsWith('/') ? path : `/${path}`,
    headers,
    timeoutMs: options.timeoutMs,
  };
}

export function tcpTarget(
  action: { readonly host?: string; readonly port: number | string },
  container: Container,
  options: { readonly podIp: string; readonly timeoutMs: number },
): NetworkTarget {
  return {
    host: action.host || options.podIp,
    port: portNumber(container, action.port),
    timeoutMs: options.timeoutMs,
  };
}
