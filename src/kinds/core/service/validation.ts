import { validatePort } from '#kinds/core/pod/validation/handlers.ts';
import type { Service, ServicePort, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, oneOf, requiredOneOf, validateLabels } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { cidrProblems, ipFamily, ipProblems } from '#machinery/ip.ts';
import { label1123Problems, labelKeyProblems, portNumberProblems, subdomainProblems } from '#machinery/names.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const kubeletPort = 10_250;
const maximumAffinitySeconds = 86_400;

const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None';

export function validateService({ spec }: Service): FieldError[] {
  return [
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...each(spec.externalIPs, 'spec.externalIPs', (ip, path) => invalidAll(path, ip, ipProblems(ip))),
    ...validateAddresses(spec),
    ...validateLoadBalancer(spec),
    ...validateTraffic(spec),
  ];
}

function validateType(spec: ServiceSpec): FieldError[] {
  const errors = requiredOneOf(spec.type, types, 'spec.type');
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

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  if (ports.length === 0) {
    const needsNone = isHeadless(spec) || spec.type === 'ExternalName';
    return needsNone ? [] : [fieldError.required('spec.ports')];
  }
  const names = new Set<string>();
  const taken = new Set<string>();
  const nodePorts = new Set<string>();
  return each(ports, 'spec.ports', (port, path) => {
    const errors = validateServicePort(port, ports.length > 1, names, path);
    const { nodePort = 0, protocol = '' } = port;
    if (spec.type === 'LoadBalancer' && port.port === kubeletPort) {
      const detail = 'may not expose port 10250 externally since it is used by kubelet';
      errors.push(fieldError.invalid(`${path}.port`, port.port, detail));
    }
    if (spec.type === 'ClusterIP' && nodePort !== 0) {
      errors.push(fieldError.forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    if (nodePort !== 0) {
      if (nodePorts.has(`${protocol}/${nodePort}`)) errors.push(fieldError.duplicate(`${path}.nodePort`, nodePort));
      nodePorts.add(`${protocol}/${nodePort}`);
    }
    const key = `${protocol}/${port.port}`;
    if (taken.has(key)) errors.push(fieldError.duplicate(path, { protocol, port: port.port, targetPort: 0 }));
    taken.add(key);
    return errors;
  });
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
  for (const field of ['loadBalancerSourceRanges', 'allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) {
    if (spec[field] === undefined || isBalanced) continue;
    errors.push(fieldError.forbidden(`spec.${field}`, detail));
  }
  if (isBalanced) {
    errors.push(
      ...each(spec.loadBalancerSourceRanges, 'spec.loadBalancerSourceRanges', (range, path) =>
        invalidAll(path, range, cidrProblems(range.trim())),
      ),
    );
    if (spec.allocateLoadBalancerNodePorts === undefined) {
      errors.push(fieldError.required('allocateLoadBalancerNodePorts'));
    }
    if (spec.loadBalancerClass !== undefined) {
      errors.push(
        ...invalidAll('spec.loadBalancerClass', spec.loadBalancerClass, labelKeyProblems(spec.loadBalancerClass)),
      );
    }
  }
  return errors;
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
  return [...errors, ...oneOf(spec.trafficDistribution, distributions, 'spec.trafficDistribution')];
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
