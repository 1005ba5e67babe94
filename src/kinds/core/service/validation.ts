import { validatePort } from '#kinds/core/pod/validation/handlers.ts';
import { reservedIp } from '#kinds/core/validation.ts';
import type { Service, ServicePort, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll, oneOf, requiredOneOf, validateLabels } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { cidrProblems, ipFamily, ipProblems } from '#machinery/ip.ts';
import { label1123Problems, labelKeyProblems, portNumberProblems, subdomainProblems } from '#machinery/names.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const maximumAffinitySeconds = 86_400;

const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None';

export function validateService({ spec }: Service): FieldError[] {
  return [
    ...validateByType(spec),
    ...validatePorts(spec.ports ?? []),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateAddresses(spec),
    ...each(spec.externalIPs, 'spec.externalIPs', validateExternalIp),
    ...requiredOneOf(spec.type, types, 'spec.type'),
    ...validateUniquePorts(spec),
    ...validateLoadBalancer(spec),
    ...validateTraffic(spec),
  ];
}

function validateExternalIp(ip: string, path: string): FieldError[] {
  const problems = invalidAll(path, ip, ipProblems(ip));
  return problems.length > 0 ? problems : reservedIp(ip, path);
}

function validateByType(spec: ServiceSpec): FieldError[] {
  const needsPorts = !isHeadless(spec) && spec.type !== 'ExternalName';
  const errors = needsPorts && (spec.ports ?? []).length === 0 ? [fieldError.required('spec.ports')] : [];
  if (spec.type === 'ExternalName') {
    for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
      const value = spec[field];
      if (value === undefined || value.length === 0) continue;
      errors.push(fieldError.forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
    }
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') errors.push(fieldError.required('spec.externalName'));
    else errors.push(...invalidAll('spec.externalName', name, subdomainProblems(name)));
  } else if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(spec)) {
    const detail = `may not be set to 'None' for ${spec.type} services`;
    errors.push(fieldError.invalid('spec.clusterIPs[0]', 'None', detail));
  }
  return errors;
}

function validatePorts(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>();
  return each(ports, 'spec.ports', (port, path) => validateServicePort(port, ports.length > 1, names, path));
}

/** Ports are taken once for each protocol, on the service and on nodes. */
function validateUniquePorts({ type, ports }: ServiceSpec): FieldError[] {
  const inside = new Set<string>();
  const onNodes = new Set<string>();
  const unused =
    type === 'ClusterIP'
      ? each(ports, 'spec.ports', ({ nodePort = 0 }, path) =>
          nodePort === 0
            ? []
            : [fieldError.forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'")],
        )
      : [];
  const twiceOnNodes = each(ports, 'spec.ports', ({ nodePort = 0, protocol = '' }, path) => {
    const key = `${protocol}/${nodePort}`;
    const isTaken = nodePort !== 0 && onNodes.has(key);
    onNodes.add(key);
    return isTaken ? [fieldError.duplicate(`${path}.nodePort`, nodePort)] : [];
  });
  const twice = each(ports, 'spec.ports', ({ port, protocol = '' }, path) => {
    const key = `${protocol}/${port}`;
    const isTaken = inside.has(key);
    inside.add(key);
    return isTaken ? [fieldError.duplicate(path, goStruct('core.ServicePort', { protocol, port }))] : [];
  });
  return [...unused, ...twiceOnNodes, ...twice];
}

function validateServicePort(port: ServicePort, needsName: boolean, names: Set<string>, path: string): FieldError[] {
  const { name = '', appProtocol } = port;
  const errors: FieldError[] = [];
  if (needsName && name === '') {
    errors.push(fieldError.required(`${path}.name`));
  } else if (name !== '') {
    errors.push(...invalidAll(`${path}.name`, name, label1123Problems(name)));
    if (names.has(name)) errors.push(fieldError.duplicate(`${path}.name`, name));
    names.add(name);
  }
  errors.push(
    ...invalidAll(`${path}.port`, port.port, portNumberProblems(port.port)),
    ...requiredOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`),
    ...validatePort(port.targetPort ?? 0, `${path}.targetPort`),
  );
  if (appProtocol !== undefined)
    errors.push(...invalidAll(`${path}.appProtocol`, appProtocol, labelKeyProblems(appProtocol)));
  return errors;
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const errors = requiredOneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity');
  const path = 'spec.sessionAffinityConfig';
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig !== undefined) {
    errors.push(fieldError.forbidden(path, 'must not be set when session affinity is None'));
  }
  if (spec.sessionAffinity !== 'ClientIP') return errors;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined || (seconds > 0 && seconds <= maximumAffinitySeconds)) return errors;
  const detail = `must be greater than 0 and less than ${maximumAffinitySeconds}`;
  return [...errors, fieldError.invalid(`${path}.clientIP.timeoutSeconds`, seconds, detail)];
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP = '', clusterIPs = [] } = spec;
  const errors: FieldError[] = [];
  if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    errors.push(fieldError.invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'));
  } else if (clusterIP === '' && clusterIPs.length > 0) {
    errors.push(fieldError.invalid('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified'));
  }
  const families = new Set<string>();
  errors.push(
    ...each(spec.ipFamilies, 'spec.ipFamilies', (family, path) => {
      const found = oneOf(family, ['IPv4', 'IPv6'], path);
      if (families.has(family)) found.push(fieldError.duplicate(path, family));
      families.add(family);
      return found;
    }),
    ...oneOf(spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'spec.ipFamilyPolicy'),
    ...each(clusterIPs, 'spec.clusterIPs', (ip, path, index) => {
      if (ip !== 'None') return invalidAll(path, ip, ipProblems(ip));
      const isAlone = index === 0 && clusterIPs.length === 1;
      const detail = "'None' must be the first and only value";
      return isAlone ? [] : [fieldError.invalid('spec.clusterIPs', clusterIPs, detail)];
    }),
  );
  if (clusterIPs.length > 2)
    errors.push(fieldError.invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'));
  if (clusterIPs.length === 2 && ipFamily(clusterIPs[0]!) === ipFamily(clusterIPs[1]!)) {
    const detail = 'may specify no more than one IP for each IP family';
    errors.push(fieldError.invalid('spec.clusterIPs', clusterIPs, detail));
  }
  return errors;
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const detail = "may only be used when `type` is 'LoadBalancer'";
  const errors: FieldError[] = [];
  const isBalanced = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  // Upstream writes this one with a capital.
  const at = 'spec.LoadBalancerSourceRanges';
  if (ranges.length > 0 && !isBalanced) errors.push(fieldError.forbidden(at, detail));
  errors.push(
    ...each(ranges, at, (range, path) => {
      const text = range.trim();
      return invalidAll(path, text, cidrProblems(text));
    }),
  );
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    errors.push(fieldError.forbidden('spec.allocateLoadBalancerNodePorts', detail));
  if (isBalanced && spec.allocateLoadBalancerNodePorts === undefined)
    errors.push(fieldError.required('allocateLoadBalancerNodePorts'));
  const { loadBalancerClass: name } = spec;
  if (name === undefined) return errors;
  if (!isBalanced) return [...errors, fieldError.forbidden('spec.loadBalancerClass', detail)];
  return [...errors, ...invalidAll('spec.loadBalancerClass', name, labelKeyProblems(name))];
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: external, healthCheckNodePort = 0 } = spec;
  const isExternal =
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
  const errors: FieldError[] = [];
  if (isExternal) {
    errors.push(...requiredOneOf(external, ['Cluster', 'Local'], 'spec.externalTrafficPolicy'));
  } else if (external !== undefined) {
    const detail = 'may only be set for externally-accessible services';
    errors.push(fieldError.invalid('spec.externalTrafficPolicy', external, detail));
  }
  const checksHealth = spec.type === 'LoadBalancer' && external === 'Local';
  if (!checksHealth && healthCheckNodePort !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(fieldError.invalid('spec.healthCheckNodePort', healthCheckNodePort, detail));
  } else if (healthCheckNodePort !== 0) {
    errors.push(
      ...invalidAll('spec.healthCheckNodePort', healthCheckNodePort, portNumberProblems(healthCheckNodePort)),
    );
  }
  errors.push(...oneOf(spec.internalTrafficPolicy, ['Cluster', 'Local'], 'spec.internalTrafficPolicy'));
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  const { trafficDistribution: distribution } = spec;
  if (distribution === undefined || distributions.includes(distribution)) return errors;
  return [...errors, fieldError.notSupportedInOrder('spec.trafficDistribution', distribution, distributions)];
}

/** Where a load balancer is reached, as its controller reports it. */
export function validateServiceStatus({ spec, status }: Service): FieldError[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const path = 'status.loadBalancer.ingress';
  if (spec.type !== 'LoadBalancer' && ingress.length > 0)
    return [fieldError.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  return [
    ...each(ingress, path, ({ ip = '', ipMode, hostname = '' }, at) => [
      ...(ip === '' ? [] : invalidAll(`${at}.ip`, ip, ipProblems(ip))),
      ...validateIpMode(ip, ipMode, `${at}.ipMode`),
      ...validateIngressHost(hostname, `${at}.hostname`),
    ]),
  ];
}

function validateIpMode(ip: string, mode: string | undefined, path: string): FieldError[] {
  if (mode === undefined) return ip === '' ? [] : [fieldError.required(path, 'must be specified when `ip` is set')];
  if (ip === '') return [fieldError.forbidden(path, 'may not be specified when `ip` is not set')];
  return oneOf(mode, ['Proxy', 'VIP'], path);
}

/** The name of a load balancer, for Services and Ingresses. */
export function validateIngressHost(hostname: string, path: string): FieldError[] {
  if (hostname === '') return [];
  const isIp = ipFamily(hostname) !== undefined;
  return [
    ...invalidAll(path, hostname, subdomainProblems(hostname)),
    ...(isIp ? [fieldError.invalid(path, hostname, 'must be a DNS name, not an IP address')] : []),
  ];
}

/** The first cluster address stays, as long as the service has one at all. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const [before, after] = [old.clusterIPs ?? [], spec.clusterIPs ?? []];
  if (before.length === 0 || equalValues(before, after)) return validateClassUpdate(spec, old);
  const errors = validateClassUpdate(spec, old);
  if (after.length === 0) {
    errors.push(fieldError.invalid('spec.clusterIPs[0]', after, 'primary clusterIP can not be unset'));
  } else if (before[0] !== after[0]) {
    errors.push(fieldError.invalid('spec.clusterIPs[0]', after, 'may not change once set'));
  }
  return errors;
}

function validateClassUpdate(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const isSame =
    spec.type !== 'LoadBalancer' || old.type !== 'LoadBalancer' || spec.loadBalancerClass === old.loadBalancerClass;
  const detail = 'may not change once set';
  return isSame ? [] : [fieldError.invalid('spec.loadBalancerClass', spec.loadBalancerClass, detail)];
}
