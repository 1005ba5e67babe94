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

/** Where to connect for a call. */
export interface WebhookAddress {
  /** What errors show. */
  readonly url: URL;
  readonly host: string;
  readonly port: number;
  /** The name that the certificate has to have. */
  readonly serverName: string;
}

const httpsPort = 443;

/** The URL that a webhook is called by; a service has the name that its certificate is made out to. */
export function webhookUrl({ url, service }: WebhookClientConfig): URL {
  if (url !== undefined) return new URL(url);
  if (service === undefined) throw new Error('no service or URL');
  const { namespace, name, path = '/', port = httpsPort } = service;
  const [pathname = '', query] = path.split('?');
  const built = new URL(`https://${name}.${namespace}.svc:${port}`);
  built.pathname = pathname;
  if (query !== undefined) built.search = query;
  return built;
}

/** Where a webhook can be reached right now. @throws Error when its service is absent or nothing is behind it. */
export function resolveWebhook(config: WebhookClientConfig, resources: ResourceTable, random: Random): WebhookAddress {
  const url = webhookUrl(config);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? httpsPort : Number(url.port);
  if (config.url !== undefined || config.service === undefined) return { url, host, port, serverName: host };
  const { namespace, name } = config.service;
  const found = resources.of(Service).storage!.cache.get(objectKey({ namespace, name }))?.value.object;
  if (found === undefined) throw new Error(`service ${JSON.stringify(name)} not found`);
  const service = found as ServiceObject;
  if (service.spec.type === 'ExternalName')
    return { url, host: service.spec.externalName ?? '', port, serverName: host };
  const servicePort = service.spec.ports?.find((candidate) => candidate.port === port);
  if (servicePort === undefined) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const endpoints = readyEndpoints(resources, { namespace, name, portName: servicePort.name ?? '' });
  if (endpoints.length === 0) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
  return { url, ...endpoints[randomInteger(random, endpoints.length)]!, serverName: host };
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
