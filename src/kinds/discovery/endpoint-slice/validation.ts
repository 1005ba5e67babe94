import type { Endpoint, EndpointPort, EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { each, immutable, invalidAll, oneOf, requiredOneOf, validateLabels } from '#kinds/validation/common.ts';
import { reservedIp } from '#kinds/validation/reserved-ip.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { ipFamily, ipProblems } from '#machinery/ip.ts';
import { label1123Problems, labelKeyProblems, labelValueProblems, subdomainProblems } from '#machinery/names.ts';

const maximumEndpoints = 1000;
const maximumAddresses = 100;
const maximumPorts = 20_000;
const maximumTopology = 16;
const maximumHints = 8;
const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  return [...validateTypeAndPorts(slice), ...validateEndpoints(slice)];
}

/** Endpoints that are as they were are not judged again. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  const endpoints = validateEndpoints(slice);
  const isSame = endpoints.length > 0 && equalValues(slice.endpoints, old.endpoints);
  return [
    ...validateTypeAndPorts(slice),
    ...(isSame ? [] : endpoints),
    ...immutable(slice.addressType, old.addressType, 'addressType'),
  ];
}

function validateTypeAndPorts({ addressType, ports = [] }: EndpointSlice): FieldError[] {
  return [...requiredOneOf(addressType, addressTypes, 'addressType'), ...validatePorts(ports)];
}

function validateEndpoints({ addressType, endpoints = [] }: EndpointSlice): FieldError[] {
  if (endpoints.length > maximumEndpoints) return [fieldError.tooMany('endpoints', endpoints.length, maximumEndpoints)];
  return each(endpoints, 'endpoints', (endpoint, path) => validateEndpoint(endpoint, addressType, path));
}

function validateEndpoint(endpoint: Endpoint, addressType: string, path: string): FieldError[] {
  const { addresses = [], hostname, nodeName } = endpoint;
  const at = `${path}.addresses`;
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(fieldError.required(at, 'must contain at least 1 address'));
  else if (addresses.length > maximumAddresses) {
    errors.push(fieldError.tooMany(at, addresses.length, maximumAddresses));
  }
  errors.push(...each(addresses, at, (address, one) => validateAddress(address, addressType, at, one)));
  if (nodeName !== undefined) errors.push(...invalidAll(`${path}.nodeName`, nodeName, subdomainProblems(nodeName)));
  errors.push(...validateTopology(endpoint.deprecatedTopology, `${path}.deprecatedTopology`));
  if (hostname !== undefined) errors.push(...invalidAll(`${path}.hostname`, hostname, label1123Problems(hostname)));
  return [...errors, ...validateHints(endpoint.hints, `${path}.hints`)];
}

function validateTopology(topology: Endpoint['deprecatedTopology'], path: string): FieldError[] {
  const count = Object.keys(topology ?? {}).length;
  const errors = count > maximumTopology ? [fieldError.tooMany(path, count, maximumTopology)] : [];
  return [...errors, ...validateLabels(topology, path)];
}

/** KEP-2433: where an endpoint should be used from. */
function validateHints(hints: Endpoint['hints'], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['forZones', 'forNodes'] as const) {
    const found = hints?.[field] ?? [];
    const at = `${path}.${field}`;
    if (found.length > maximumHints) return [...errors, fieldError.tooMany(at, found.length, maximumHints)];
    const names = new Set<string>();
    const problemsOf = field === 'forZones' ? labelValueProblems : subdomainProblems;
    for (const [index, { name = '' }] of found.entries()) {
      const place = `${at}[${index}].name`;
      if (names.has(name)) errors.push(fieldError.duplicate(place, name));
      names.add(name);
      errors.push(...invalidAll(place, name, problemsOf(name)));
    }
  }
  return errors;
}

/** One finding at a time, and a final dot is no part of the name. */
function domainProblems(name: string, path: string): FieldError[] {
  if (name === '') return [fieldError.required(path)];
  const domain = name.endsWith('.') ? name.slice(0, -1) : name;
  const problems = subdomainProblems(domain);
  if (problems.length > 0) return [fieldError.invalid(path, domain, problems.join(','))];
  const labels = domain.split('.');
  if (labels.length < 2) {
    return [fieldError.invalid(path, domain, 'should be a domain with at least two segments separated by dots')];
  }
  return labels.flatMap((label) => {
    const found = label1123Problems(label);
    return found.length > 0 ? [fieldError.invalid(path, label, found.join(','))] : [];
  });
}

/** The family is wrong at the list of addresses, as upstream says it; an unknown type is answered elsewhere. */
function validateAddress(address: string, addressType: string, list: string, path: string): FieldError[] {
  if (addressType === 'FQDN') return domainProblems(address, path);
  if (!addressTypes.includes(addressType)) return [];
  const problems = invalidAll(path, address, ipProblems(address));
  if (problems.length > 0) return problems;
  const isOfFamily = ipFamily(address) === Number(addressType.slice(-1));
  const errors = isOfFamily ? [] : [fieldError.invalid(list, address, `must be an ${addressType} address`)];
  return [...errors, ...reservedIp(address, path)];
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > maximumPorts) return [fieldError.tooMany('ports', ports.length, maximumPorts)];
  const names = new Set<string>();
  return each(ports, 'ports', ({ name = '', protocol, appProtocol }, path) => {
    const errors: FieldError[] = [];
    if (name !== '') errors.push(...invalidAll(`${path}.name`, name, label1123Problems(name)));
    if (names.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(fieldError.required(`${path}.protocol`));
    else errors.push(...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`));
    if (appProtocol !== undefined) {
      errors.push(...invalidAll(`${path}.appProtocol`, appProtocol, labelKeyProblems(appProtocol)));
    }
    return errors;
  });
}
