import type { Endpoints } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import type { IngressClass } from '#kinds/generated/types/networking_v1.ts';
import { type DescribeOptions, describeEvents } from '../related.ts';
import { head, type Sheet } from '../sheet.ts';

interface PortLike {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
}

function describePorts(sheet: Sheet, level: number, ports: readonly PortLike[]): void {
  sheet.line(level, 'Ports:');
  sheet.line(level + 1, 'Name\tPort\tProtocol');
  sheet.line(level + 1, '----\t----\t--------');
  for (const { name = '', port, protocol = 'TCP' } of ports) {
    sheet.line(level + 1, `${name === '' ? '<unset>' : name}\t${port ?? '<unset>'}\t${protocol}`);
  }
}

export async function describeEndpoints(sheet: Sheet, endpoints: Endpoints, options: DescribeOptions): Promise<void> {
  head(sheet, endpoints.metadata);
  sheet.line(0, 'Subsets:');
  const list = (addresses: readonly { readonly ip: string }[] | undefined): string =>
    addresses === undefined || addresses.length === 0 ? '<none>' : addresses.map(({ ip }) => ip).join(',');
  for (const { addresses, notReadyAddresses, ports = [] } of endpoints.subsets ?? []) {
    sheet.field('Addresses', list(addresses), 1);
    sheet.field('NotReadyAddresses', list(notReadyAddresses), 1);
    if (ports.length > 0) describePorts(sheet, 1, ports);
    sheet.line(0, '');
  }
  await describeEvents(sheet, options, { metadata: endpoints.metadata });
}

export async function describeEndpointSlice(
  sheet: Sheet,
  slice: EndpointSlice,
  options: DescribeOptions,
): Promise<void> {
  head(sheet, slice.metadata);
  sheet.field('AddressType', slice.addressType);
  const ports = slice.ports ?? [];
  if (ports.length === 0) sheet.line(0, 'Ports: <unset>');
  else describePorts(sheet, 0, ports);
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length === 0) sheet.line(0, 'Endpoints: <none>');
  else sheet.line(0, 'Endpoints:');
  for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of endpoints) {
    sheet.field('- Addresses', addresses.join(', '), 1);
    sheet.line(2, 'Conditions:');
    sheet.field('Ready', conditions?.ready ?? '<unset>', 3);
    sheet.field('Hostname', hostname ?? '<unset>', 2);
    if (targetRef !== undefined) sheet.field('TargetRef', `${targetRef.kind}/${targetRef.name}`, 2);
    sheet.field('NodeName', nodeName ?? '<unset>', 2);
    sheet.field('Zone', zone ?? '<unset>', 2);
  }
  await describeEvents(sheet, options, { metadata: slice.metadata });
}

export async function describeIngressClass(
  sheet: Sheet,
  ingressClass: IngressClass,
  options: DescribeOptions,
): Promise<void> {
  head(sheet, ingressClass.metadata);
  sheet.field('Controller', ingressClass.spec?.controller ?? '');
  const parameters = ingressClass.spec?.parameters;
  if (parameters !== undefined) {
    sheet.line(0, 'Parameters:');
    if (parameters.apiGroup !== undefined) sheet.field('APIGroup', parameters.apiGroup, 1);
    sheet.field('Kind', parameters.kind, 1);
    sheet.field('Name', parameters.name, 1);
  }
  await describeEvents(sheet, options, { metadata: ingressClass.metadata });
}
