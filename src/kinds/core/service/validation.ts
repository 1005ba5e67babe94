import { validatePort } from '#kinds/core/pod/validation/handlers.ts';
import type { Service, ServicePort, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll, oneOf, requiredOneOf, validateLabels } from '#kinds/validation/common.ts';
import { reservedIp } from '#kinds/validation/reserved-ip.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { cidrProblems, ipFamily, ipProblems } from '#machinery/ip.ts';
import type { ObjectMeta } from '#machinery/meta.ts';
import { label1123Problems, labelKeyProblems, portNumberProblems, subdomainProblems } from '#machinery/names.ts';
import { isHeadless, validateAddresses, validateAddressUpdate } from './addresses.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const trafficPolicies: readonly string[] = ['Cluster', 'Local'];
const maximumAffinitySeconds = 86_400;

export const isTrafficPolicy = (policy = ''): boolean => trafficPolicies.includes(policy);

export function validateService({ metadata, spec }: Service): FieldError[] {
  return [
    ...validateTopologyMode(metadata.annotations),
    ...validateByType(spec),
    ...validatePorts(spec.ports ?? []),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateAddresses(spec),
    ...each(spec.externalIPs, 'spec.externalIPs', validateExternalIp),
    ...requiredOneOf(spec.type, types, 'spec.type'),
    ...validateUniquePorts(spec),
    ...validateLoadBalancer(spec, metadata.annotations?.[sourceRanges]),
    ...validateTraffic(spec),
  ];
}

const topologyHints = 'service.kubernetes.io/topology-aware-hints';
const topologyMode = 'service.kubernetes.io/topology-mode';
const sourceRanges = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function validateTopologyMode(annotations: ObjectMeta['annotations'] = {}): FieldError[] {
  const [hints, mode] = [annotations[topologyHints], annotations[topologyMode]];
  if (hints === undefined || mode === undefined || hints === mode) return [];
  const detail = `must match annotations[${topologyHints}] when both are specified`;
  return [fieldError.invalid(`metadata.annotations[${topologyMode}]`, mode, detail)];
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

function validateLoadBalancer(spec: ServiceSpec, annotation: string | undefined): FieldError[] {
  const detail = "may only be used when `type` is 'LoadBalancer'";
  const errors = validateSourceRanges(spec, annotation);
  const isBalanced = spec.type === 'LoadBalancer';
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    errors.push(fieldError.forbidden('spec.allocateLoadBalancerNodePorts', detail));
  if (isBalanced && spec.allocateLoadBalancerNodePorts === undefined)
    errors.push(fieldError.required('allocateLoadBalancerNodePorts'));
  return [...errors, ...validateClass(spec)];
}

/** The field or, where it says nothing, the annotation that was there before it. */
function validateSourceRanges(
  { type, loadBalancerSourceRanges: ranges = [] }: ServiceSpec,
  annotation: string | undefined,
): FieldError[] {
  if (ranges.length === 0 && annotation === undefined) return [];
  // Upstream writes this one with a capital.
  const at = ranges.length > 0 ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${sourceRanges}]`;
  const detail = "may only be used when `type` is 'LoadBalancer'";
  const errors = type === 'LoadBalancer' ? [] : [fieldError.forbidden(at, detail)];
  const check = (range: string, path: string): FieldError[] =>
    invalidAll(path, range.trim(), cidrProblems(range.trim()));
  if (ranges.length > 0) return [...errors, ...each(ranges, at, check)];
  const text = annotation!.trim();
  return text === '' ? errors : [...errors, ...text.split(',').flatMap((range) => check(range, at))];
}

function validateClass({ type, loadBalancerClass: name }: ServiceSpec): FieldError[] {
  if (name === undefined) return [];
  const path = 'spec.loadBalancerClass';
  if (type === 'LoadBalancer') return invalidAll(path, name, labelKeyProblems(name));
  return [fieldError.forbidden(path, "may only be used when `type` is 'LoadBalancer'")];
}

const checksHealth = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: external, healthCheckNodePort = 0 } = spec;
  const isExternal =
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
  const errors: FieldError[] = [];
  if (isExternal) {
    errors.push(...requiredOneOf(external, trafficPolicies, 'spec.externalTrafficPolicy'));
  } else if (external !== undefined) {
    const detail = 'may only be set for externally-accessible services';
    errors.push(fieldError.invalid('spec.externalTrafficPolicy', external, detail));
  }
  if (!checksHealth(spec) && healthCheckNodePort !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(fieldError.invalid('spec.healthCheckNodePort', healthCheckNodePort, detail));
  } else if (checksHealth(spec) && healthCheckNodePort === 0) {
    errors.push(fieldError.required('spec.healthCheckNodePort'));
  } else if (healthCheckNodePort !== 0) {
    errors.push(
      ...invalidAll('spec.healthCheckNodePort', healthCheckNodePort, portNumberProblems(healthCheckNodePort)),
    );
  }
  const isInternal = spec.type === 'ClusterIP' || spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  if (isInternal && spec.internalTrafficPolicy === undefined)
    errors.push(fieldError.required('spec.internalTrafficPolicy'));
  errors.push(...oneOf(spec.internalTrafficPolicy, trafficPolicies, 'spec.internalTrafficPolicy'));
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
function validateIngressHost(hostname: string, path: string): FieldError[] {
  if (hostname === '') return [];
  const isIp = ipFamily(hostname) !== undefined;
  return [
    ...invalidAll(path, hostname, subdomainProblems(hostname)),
    ...(isIp ? [fieldError.invalid(path, hostname, 'must be a DNS name, not an IP address')] : []),
  ];
}

/** What may not change; all the rest is asked of the new object alone. */
export function validateServiceUpdate(service: Service, before: Service): FieldError[] {
  const [{ spec }, { spec: old }] = [service, before];
  const errors = validateAddressUpdate(service, before);
  const isBalanced = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer';
  if (isBalanced && spec.loadBalancerClass !== old.loadBalancerClass)
    errors.push(fieldError.invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
  errors.push(...validateClass(spec));
  const [port, oldPort] = [spec.healthCheckNodePort ?? 0, old.healthCheckNodePort ?? 0];
  if (checksHealth(spec) && checksHealth(old) && port !== oldPort)
    errors.push(fieldError.forbidden('spec.healthCheckNodePort', 'field is immutable'));
  return errors;
}
