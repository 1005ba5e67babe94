import type { Service } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import type { Ingress, IngressBackend } from '#kinds/generated/types/networking_v1.ts';
import { type DescribeOptions, describeEvents, related } from '../related.ts';
import { head, type Sheet, selectorText } from '../sheet.ts';

/** Addresses named before the rest is only counted. */
const shownEndpoints = 3;

export async function describeService(sheet: Sheet, service: Service, options: DescribeOptions): Promise<void> {
  const { metadata, spec = {}, status } = service;
  head(sheet, metadata);
  sheet.field('Selector', selectorText(spec.selector));
  sheet.field('Type', spec.type ?? '');
  if (spec.ipFamilyPolicy !== undefined) sheet.field('IP Family Policy', spec.ipFamilyPolicy);
  const families = spec.ipFamilies ?? [];
  sheet.field('IP Families', families.length === 0 ? '<none>' : families.join(','));
  sheet.field('IP', spec.clusterIP ?? '');
  const addresses = spec.clusterIPs ?? [];
  sheet.field('IPs', addresses.length === 0 ? '<none>' : addresses.join(','));
  if ((spec.externalIPs ?? []).length > 0) sheet.field('External IPs', spec.externalIPs!.join(','));
  sheet.optional('Desired LoadBalancer IP', spec.loadBalancerIP);
  sheet.optional('External Name', spec.externalName);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname, ipMode }) =>
    ip === undefined ? (hostname ?? '') : `${ip}${ipMode === undefined ? '' : ` (${ipMode})`}`,
  );
  if (ingress.length > 0) sheet.field('LoadBalancer Ingress', ingress.join(', '));
  const slices = await related<EndpointSlice>(options, 'endpointslices.discovery.k8s.io', {
    namespace: metadata.namespace,
    labelSelector: `kubernetes.io/service-name=${metadata.name}`,
  });
  for (const port of spec.ports ?? []) {
    const name = port.name === undefined || port.name === '' ? '<unset>' : port.name;
    sheet.line(0, `Port:\t${name}\t${port.port}/${port.protocol ?? 'TCP'}`);
    sheet.field('TargetPort', `${port.targetPort ?? ''}/${port.protocol ?? 'TCP'}`);
    if ((port.nodePort ?? 0) !== 0) sheet.line(0, `NodePort:\t${name}\t${port.nodePort}/${port.protocol ?? 'TCP'}`);
    sheet.field('Endpoints', endpointsText(slices, port.name ?? ''));
  }
  sheet.field('Session Affinity', spec.sessionAffinity ?? '');
  sheet.optional('External Traffic Policy', spec.externalTrafficPolicy);
  sheet.optional('Internal Traffic Policy', spec.internalTrafficPolicy);
  sheet.optional('Traffic Distribution', spec.trafficDistribution);
  if ((spec.healthCheckNodePort ?? 0) !== 0) sheet.field('HealthCheck NodePort', spec.healthCheckNodePort!);
  if ((spec.loadBalancerSourceRanges ?? []).length > 0) {
    sheet.field('LoadBalancer Source Ranges', spec.loadBalancerSourceRanges!.join(','));
  }
  await describeEvents(sheet, options, { metadata });
}

function endpointsText(slices: readonly EndpointSlice[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const ready = slices.flatMap(({ ports, endpoints = [] }) =>
    (ports ?? [])
      .filter(({ name = '' }) => name === portName)
      .flatMap(({ port }) =>
        endpoints
          .filter(({ conditions }) => conditions?.ready !== false)
          .flatMap(({ addresses }) =>
            addresses.map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)),
          ),
      ),
  );
  const more = ready.length - shownEndpoints;
  return `${ready.slice(0, shownEndpoints).join(',')}${more > 0 ? ` + ${more} more...` : ''}`;
}

export async function describeIngress(sheet: Sheet, ingress: Ingress, options: DescribeOptions): Promise<void> {
  const { metadata, spec = {}, status } = ingress;
  sheet.field('Name', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.field('Namespace', metadata.namespace ?? '');
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
  sheet.field('Address', addresses.join(','));
  sheet.field('Ingress Class', spec.ingressClassName ?? '<none>');
  const reach = await backendReach(ingress, options);
  sheet.field(
    'Default backend',
    spec.defaultBackend === undefined ? '<default>' : backendText(spec.defaultBackend, reach),
  );
  if ((spec.tls ?? []).length > 0) {
    sheet.line(0, 'TLS:');
    for (const { secretName = '', hosts = [] } of spec.tls ?? []) {
      sheet.line(
        1,
        secretName === '' ? `SNI routes ${hosts.join(',')}` : `${secretName} terminates ${hosts.join(',')}`,
      );
    }
  }
  sheet.line(0, 'Rules:');
  sheet.line(1, 'Host\tPath\tBackends');
  sheet.line(1, '----\t----\t--------');
  const rules = (spec.rules ?? []).filter(({ http }) => http !== undefined);
  for (const { host, http } of rules) {
    sheet.line(1, `${host === undefined || host === '' ? '*' : host}\t`);
    for (const { path = '', backend } of http!.paths) sheet.line(1, `\t${path} \t${backendText(backend, reach)}`);
  }
  if (rules.length === 0) {
    sheet.line(1, `*\t*\t${spec.defaultBackend === undefined ? '<default>' : backendText(spec.defaultBackend, reach)}`);
  }
  sheet.annotations(metadata.annotations);
  await describeEvents(sheet, options, { metadata });
}

/** Says where a service's port leads to. */
type Reach = (service: string, port: { readonly name?: string; readonly number?: number }) => string;

async function backendReach({ metadata }: Ingress, options: DescribeOptions): Promise<Reach> {
  const { namespace } = metadata;
  const services = await related<Service>(options, 'services', { namespace });
  const slices = await related<EndpointSlice>(options, 'endpointslices.discovery.k8s.io', { namespace });
  return (name, wanted) => {
    const service = services.find((each) => each.metadata.name === name);
    if (service === undefined) return `<error: services "${name}" not found>`;
    const port = service.spec?.ports?.find((each) => each.name === wanted.name || each.port === wanted.number);
    const own = slices.filter(({ metadata: { labels } }) => labels?.['kubernetes.io/service-name'] === name);
    return endpointsText(own, port?.name ?? '');
  };
}

function backendText({ service, resource }: IngressBackend, reach: Reach): string {
  if (service !== undefined) {
    const { name, port = {} } = service;
    return `${name}:${port.name ?? port.number ?? ''} (${reach(name, port)})`;
  }
  return resource === undefined
    ? ''
    : `APIGroup: ${resource.apiGroup ?? '<none>'}, Kind: ${resource.kind}, Name: ${resource.name}`;
}
