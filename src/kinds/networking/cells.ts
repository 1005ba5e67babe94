import { age, listWithMore, name, selectorCell } from '#kinds/cells.ts';
import type * as discovery from '#kinds/generated/types/discovery_v1.ts';
import type * as networking from '#kinds/generated/types/networking_v1.ts';
import type { Cell } from '#kinds/kind.ts';

const shown = 3;

export function ingressCells(ingress: networking.Ingress, now: number): readonly Cell[] {
  const { spec, status } = ingress;
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? ''));
  return [
    name(ingress),
    spec?.ingressClassName ?? '<none>',
    hosts(spec?.rules ?? []),
    [...new Set(addresses.filter((address) => address !== ''))].sort().join(','),
    (spec?.tls ?? []).length > 0 ? '80, 443' : '80',
    age(ingress, now),
  ];
}

/** Rules beyond the third host are counted, whether or not they name one. */
function hosts(rules: readonly networking.IngressRule[]): string {
  const named: string[] = [];
  let hasMore = false;
  for (const { host = '' } of rules) {
    if (named.length === shown) hasMore = true;
    else if (host !== '') named.push(host);
  }
  if (named.length === 0) return '*';
  return hasMore ? `${named.join(',')} + ${rules.length - shown} more...` : named.join(',');
}

export function ingressClassCells(ingressClass: networking.IngressClass, now: number): readonly Cell[] {
  const isDefault = ingressClass.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const parameters = ingressClass.spec?.parameters;
  const group = parameters?.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
  return [
    isDefault ? `${name(ingressClass)} (default)` : name(ingressClass),
    ingressClass.spec?.controller ?? '',
    parameters === undefined ? '<none>' : `${parameters.kind}${group}/${parameters.name}`,
    age(ingressClass, now),
  ];
}

export function networkPolicyCells(policy: networking.NetworkPolicy, now: number): readonly Cell[] {
  return [name(policy), selectorCell(policy.spec?.podSelector), age(policy, now)];
}

export function ipAddressCells(address: networking.IPAddress, now: number): readonly Cell[] {
  const parent = address.spec?.parentRef;
  if (parent === undefined) return [name(address), '<none>', age(address, now)];
  const resource = (parent.group ?? '') === '' ? parent.resource : `${parent.resource}.${parent.group}`;
  const path = [resource.toLowerCase(), parent.namespace ?? '', parent.name].filter((part) => part !== '');
  return [name(address), path.join('/'), age(address, now)];
}

export function serviceCidrCells(cidr: networking.ServiceCIDR, now: number): readonly Cell[] {
  return [name(cidr), (cidr.spec?.cidrs ?? []).join(','), age(cidr, now)];
}

export function endpointSliceCells(slice: discovery.EndpointSlice, now: number): readonly Cell[] {
  const ports = (slice.ports ?? []).map(({ port, name: portName }) =>
    port === undefined ? (portName ?? '*') : `${port}`,
  );
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  return [
    name(slice),
    slice.addressType,
    listWithMore(ports, shown, '<unset>'),
    listWithMore(addresses, shown, '<unset>'),
    age(slice, now),
  ];
}
