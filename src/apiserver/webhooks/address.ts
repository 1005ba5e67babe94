import { type Random, randomInteger } from '#base/random.ts';
import { EndpointSlice, Service } from '#kinds/generated/handles.ts';
import type { Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice as EndpointSliceObject } from '#kinds/generated/types/discovery_v1.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';

/** Where a webhook is, as `clientConfig` of admission and conversion webhooks says it. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** Authorities that its certificate is to come from: PEM in base64; without it, the machine's. */
  readonly caBundle?: string;
}

/** A URL as Go writes it: with the port, also where it is the usual one. */
export interface WebhookUrl {
  readonly isSecure: boolean;
  /** Host and, where one was given, port: what the `Host` header says. */
  readonly authority: string;
  /** Host name or address, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
}

/** Where to connect for a call. */
export interface WebhookAddress {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate has to have. */
  readonly serverName: string;
}

const httpsPort = 443;
const httpPort = 80;

/** The URL that a webhook is called by; a service has the name that its certificate is made out to. */
export function webhookUrl({ url, service }: WebhookClientConfig, timeoutSeconds?: number): WebhookUrl {
  if (url === undefined && service === undefined) throw new Error('no service or URL');
  const { namespace = '', name = '', path = '/', port = httpsPort } = service ?? {};
  const rooted = path.startsWith('/') ? path : `/${path}`;
  const text = url ?? `https://${name}.${namespace}.svc:${port}${rooted}`;
  const parsed = new URL(text);
  if (timeoutSeconds !== undefined) parsed.searchParams.set('timeout', `${timeoutSeconds}s`);
  const isSecure = parsed.protocol === 'https:';
  return {
    isSecure,
    authority: url === undefined ? `${parsed.hostname}:${port}` : parsed.host,
    hostname: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (isSecure ? httpsPort : httpPort) : Number(parsed.port),
    path: `${cleanPath(parsed.pathname)}${parsed.search}`,
  };
}

/** As client-go joins paths: one slash at a time and none at the end. Go's servers redirect from anything else. */
function cleanPath(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}

export function formatUrl({ isSecure, authority, path }: WebhookUrl): string {
  return `${isSecure ? 'https' : 'http'}://${authority}${path}`;
}

/** Where a webhook can be reached right now. @throws Error when its service is absent or nothing is behind it. */
export function resolveWebhook(config: WebhookClientConfig, resources: ResourceTable, random: Random): WebhookAddress {
  const { hostname, port } = webhookUrl(config);
  if (config.url !== undefined || config.service === undefined) return { host: hostname, port, serverName: hostname };
  const { namespace, name } = config.service;
  const found = resources.of(Service).storage!.cache.get(objectKey({ namespace, name }))?.value.object;
  if (found === undefined) throw new Error(`service ${JSON.stringify(name)} not found`);
  const { spec } = found as ServiceObject;
  if (spec.type === 'ExternalName') return { host: spec.externalName ?? '', port, serverName: hostname };
  const servicePort = spec.ports?.find((candidate) => candidate.port === port);
  if (servicePort === undefined) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const endpoints = readyEndpoints(resources, { namespace, name, portName: servicePort.name ?? '' });
  if (endpoints.length === 0) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
  return { ...endpoints[randomInteger(random, endpoints.length)]!, serverName: hostname };
}

function readyEndpoints(
  resources: ResourceTable,
  { namespace, name, portName }: { readonly namespace: string; readonly name: string; readonly portName: string },
): { readonly host: string; readonly port: number }[] {
  const found: { host: string; port: number }[] = [];
  for (const { value } of resources.of(EndpointSlice).storage!.cache.entries(namespace)) {
    const slice = value.object as EndpointSliceObject;
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const port = slice.ports?.find((candidate) => (candidate.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions } of slice.endpoints ?? [])
      if (conditions?.ready !== false && addresses[0] !== undefined) found.push({ host: addresses[0], port });
  }
  return found;
}
