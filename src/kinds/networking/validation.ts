import type { TypedLocalObjectReference } from '#kinds/generated/types/core_v1.ts';
import type * as networking from '#kinds/generated/types/networking_v1.ts';
import { each, immutable, invalidAll, oneOf, oneOfInOrder, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { cidrProblems, cidrWarnings, ipProblems, isAddress, isNetwork, isStrictSubset } from '#machinery/ip.ts';
import {
  byteLength,
  label1123Problems,
  pathSegmentProblems,
  portNameProblems,
  portNumberProblems,
  subdomainProblems,
  wildcardSubdomainProblems,
} from '#machinery/names.ts';

export function validateNetworkPolicy(
  { spec }: networking.NetworkPolicy,
  old?: networking.NetworkPolicy,
): FieldError[] {
  if (spec === undefined) return [];
  const known = old === undefined ? new Set<string>() : blocksOf(old);
  const checkPeer = (peer: networking.NetworkPolicyPeer, path: string): FieldError[] => validatePeer(peer, path, known);
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector');
  errors.push(
    ...each(spec.ingress, 'spec.ingress', (rule, path) => [
      ...each(rule.ports, `${path}.ports`, validatePolicyPort),
      ...each(rule.from, `${path}.from`, checkPeer),
    ]),
    ...each(spec.egress, 'spec.egress', (rule, path) => [
      ...each(rule.ports, `${path}.ports`, validatePolicyPort),
      ...each(rule.to, `${path}.to`, checkPeer),
    ]),
  );
  const types = spec.policyTypes ?? [];
  if (types.length > 2) {
    return [...errors, fieldError.invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  }
  return [
    ...errors,
    ...each(types, 'spec.policyTypes', (type, path) => oneOfInOrder(type, ['Ingress', 'Egress'], path)),
  ];
}

function validatePolicyPort(port: networking.NetworkPolicyPort, path: string): FieldError[] {
  const { port: number, endPort } = port;
  const errors: FieldError[] = [];
  const protocols = ['TCP', 'UDP', 'SCTP'];
  if (port.protocol !== undefined && !protocols.includes(port.protocol))
    errors.push(fieldError.notSupportedInOrder(`${path}.protocol`, port.protocol, protocols));
  if (typeof number === 'number') {
    errors.push(...invalidAll(`${path}.port`, number, portNumberProblems(number)));
    if (endPort !== undefined && endPort < number) {
      errors.push(fieldError.invalid(`${path}.endPort`, number, 'must be greater than or equal to `port`'));
    }
    if (endPort !== undefined) errors.push(...invalidAll(`${path}.endPort`, endPort, portNumberProblems(endPort)));
  } else if (typeof number === 'string') {
    if (endPort !== undefined) {
      errors.push(fieldError.invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    }
    errors.push(...invalidAll(`${path}.port`, number, portNameProblems(number)));
  } else if (endPort !== undefined) {
    errors.push(fieldError.invalid(`${path}.endPort`, endPort, 'may not be specified when `port` is not specified'));
  }
  return errors;
}

/** What was there before may stay, though no new policy could have it. */
function validateBlock(cidr: string, path: string, known: ReadonlySet<string>): FieldError[] {
  return known.has(cidr) ? [] : invalidAll(path, cidr, cidrProblems(cidr));
}

/** Networks that could be written in a better way. */
export function networkPolicyWarnings({ spec }: networking.NetworkPolicy): string[] {
  const ofPeers = (peers: readonly networking.NetworkPolicyPeer[] | undefined, path: string): string[] =>
    (peers ?? []).flatMap(({ ipBlock }, index) => {
      if (ipBlock === undefined) return [];
      const at = `${path}[${index}].ipBlock`;
      const except = (ipBlock.except ?? []).flatMap((cidr, place) => cidrWarnings(cidr, `${at}.except[${place}]`));
      return [...cidrWarnings(ipBlock.cidr, `${at}.cidr`), ...except];
    });
  return [
    ...(spec?.ingress ?? []).flatMap(({ from }, index) => ofPeers(from, `spec.ingress[${index}].from`)),
    ...(spec?.egress ?? []).flatMap(({ to }, index) => ofPeers(to, `spec.egress[${index}].to`)),
  ];
}

function blocksOf({ spec }: networking.NetworkPolicy): ReadonlySet<string> {
  const peers = [
    ...(spec?.ingress ?? []).flatMap(({ from = [] }) => from),
    ...(spec?.egress ?? []).flatMap(({ to = [] }) => to),
  ];
  return new Set(
    peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])])),
  );
}

function validatePeer(peer: networking.NetworkPolicyPeer, path: string, known: ReadonlySet<string>): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const errors = [
    ...validateLabelSelector(podSelector, `${path}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
  ];
  if (ipBlock !== undefined) {
    const { cidr = '', except } = ipBlock;
    if (cidr === '') errors.push(fieldError.required(`${path}.ipBlock.cidr`));
    else errors.push(...validateBlock(cidr, `${path}.ipBlock.cidr`, known));
    // What is left out of no range cannot be judged.
    errors.push(
      ...each(isNetwork(cidr) ? except : [], `${path}.ipBlock.except`, (text, at) => [
        ...validateBlock(text, at, known),
        ...(isNetwork(text) && !isStrictSubset(text, cidr)
          ? [fieldError.invalid(at, text, 'must be a strict subset of `cidr`')]
          : []),
      ]),
    );
  }
  const selectors = [podSelector, namespaceSelector].filter((selector) => selector !== undefined).length;
  if (selectors === 0 && ipBlock === undefined) errors.push(fieldError.required(path, 'must specify a peer'));
  else if (selectors > 0 && ipBlock !== undefined) {
    errors.push(fieldError.forbidden(path, 'may not specify both ipBlock and another peer'));
  }
  return errors;
}

/** Addresses that were there before may stay, though no new ones could be like them. */
export function validateIngressStatus(
  { status }: networking.Ingress,
  { status: old }: networking.Ingress,
): FieldError[] {
  const known = new Set(old?.loadBalancer?.ingress?.map(({ ip }) => ip));
  return each(status?.loadBalancer?.ingress, 'status.loadBalancer.ingress', ({ ip = '', hostname = '' }, path) => [
    ...(ip === '' || known.has(ip) ? [] : invalidAll(`${path}.ip`, ip, ipProblems(ip))),
    ...(hostname === '' ? [] : invalidAll(`${path}.hostname`, hostname, subdomainProblems(hostname))),
    ...(isAddress(hostname)
      ? [fieldError.invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address')]
      : []),
  ]);
}

export function validateIngress({ spec = {} }: networking.Ingress): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined) {
    errors.push(fieldError.invalid('spec', spec.rules ?? [], 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend !== undefined) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'));
  errors.push(
    ...each(spec.rules, 'spec.rules', validateIngressRule),
    ...each(spec.tls, 'spec.tls', ({ hosts, secretName = '' }, path) => [
      ...each(hosts, `${path}.hosts`, (host, at) => validateHost(host, at)),
      ...(secretName === '' ? [] : invalidAll(`${path}.secretName`, secretName, subdomainProblems(secretName))),
    ]),
  );
  const className = spec.ingressClassName;
  return className === undefined
    ? errors
    : [...errors, ...invalidAll('spec.ingressClassName', className, subdomainProblems(className))];
}

function validateHost(host: string, path: string): FieldError[] {
  return invalidAll(path, host, host.includes('*') ? wildcardSubdomainProblems(host) : subdomainProblems(host));
}

function validateIngressRule({ host = '', http }: networking.IngressRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host !== '') {
    if (isAddress(host)) errors.push(fieldError.invalid(`${path}.host`, host, 'must be a DNS name, not an IP address'));
    errors.push(...validateHost(host, `${path}.host`));
  }
  if (http === undefined) return errors;
  if ((http.paths ?? []).length === 0) errors.push(fieldError.required(`${path}.http.paths`));
  return [...errors, ...each(http.paths, `${path}.http.paths`, validatePath)];
}

const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badEndings = ['/..', '/.'];

function validatePath(rule: networking.HTTPIngressPath, at: string): FieldError[] {
  const { path = '', pathType } = rule;
  const errors: FieldError[] = [];
  if (pathType === undefined) return [fieldError.required(`${at}.pathType`, 'pathType must be specified')];
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(fieldError.invalid(`${at}.path`, path, 'must be an absolute path'));
    for (const sequence of badSequences) {
      if (path.includes(sequence))
        errors.push(fieldError.invalid(`${at}.path`, path, `must not contain '${sequence}'`));
    }
    for (const ending of badEndings) {
      if (path.endsWith(ending)) errors.push(fieldError.invalid(`${at}.path`, path, `cannot end with '${ending}'`));
    }
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) {
      errors.push(fieldError.invalid(`${at}.path`, path, 'must be an absolute path'));
    }
  } else {
    errors.push(fieldError.notSupported(`${at}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
  }
  return [...errors, ...validateBackend(rule.backend, `${at}.backend`)];
}

function validateBackend({ service, resource }: networking.IngressBackend, path: string): FieldError[] {
  if (service !== undefined && resource !== undefined) {
    return [fieldError.invalid(path, '', 'cannot set both resource and service backends')];
  }
  if (resource !== undefined) return validateReference(resource, `${path}.resource`);
  if (service === undefined) return [fieldError.invalid(path, '', 'resource or service backend is required')];
  const { name = '', port = {} } = service;
  const errors =
    name === ''
      ? [fieldError.required(`${path}.service.name`)]
      : invalidAll(`${path}.service.name`, name, label1123Problems(name));
  const at = `${path}.service.port`;
  if ((port.name ?? '') !== '' && (port.number ?? 0) !== 0) {
    errors.push(fieldError.invalid(path, '', 'cannot set both port name & port number'));
  } else if ((port.name ?? '') !== '') {
    errors.push(...invalidAll(`${at}.name`, port.name, portNameProblems(port.name!)));
  } else if (port.number !== undefined && port.number !== 0) {
    errors.push(...invalidAll(`${at}.number`, port.number, portNumberProblems(port.number)));
  } else {
    errors.push(fieldError.required(path, 'port name or number is required'));
  }
  return errors;
}

const maxControllerBytes = 250;

export function validateIngressClass({ spec }: networking.IngressClass): FieldError[] {
  const controller = spec?.controller ?? '';
  const errors =
    byteLength(controller) > maxControllerBytes ? [fieldError.tooLong('spec.controller', maxControllerBytes)] : [];
  return [
    ...errors,
    ...validateDomainPrefixedPath(controller, 'spec.controller'),
    ...validateClassParameters(spec?.parameters, 'spec.parameters'),
  ];
}

/** `example.com/path`, as controllers are named. */
function validateDomainPrefixedPath(text: string, path: string): FieldError[] {
  if (text === '') return [fieldError.required(path)];
  const slash = text.indexOf('/');
  const [domain, rest] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
  if (domain === '' || rest === '')
    return [fieldError.invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const problems = subdomainProblems(domain);
  if (problems.length > 0) return invalidAll(path, domain, problems);
  if (/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) return [];
  return [
    fieldError.invalid(path, rest, "Invalid path (regex used for validation is '^[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+$')"),
  ];
}

/** An object of some kind, in the same namespace or in none. */
function validateReference(
  { apiGroup, kind = '', name = '' }: Partial<TypedLocalObjectReference>,
  path: string,
): FieldError[] {
  const segment = (field: string, value: string): FieldError[] =>
    value === ''
      ? [fieldError.required(`${path}.${field}`)]
      : invalidAll(`${path}.${field}`, value, pathSegmentProblems(value));
  return [
    ...(apiGroup === undefined ? [] : invalidAll(`${path}.apiGroup`, apiGroup, subdomainProblems(apiGroup))),
    ...segment('kind', kind),
    ...segment('name', name),
  ];
}

function validateClassParameters(
  parameters: networking.IngressClassParametersReference | undefined,
  path: string,
): FieldError[] {
  if (parameters === undefined) return [];
  const { scope, namespace } = parameters;
  const errors = validateReference(parameters, path);
  if (scope === undefined) return [...errors, fieldError.required(`${path}.scope`)];
  errors.push(...oneOf(scope, ['Cluster', 'Namespace'], `${path}.scope`));
  if (scope === 'Namespace' && namespace === undefined)
    errors.push(fieldError.required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  if (scope === 'Namespace' && namespace !== undefined)
    errors.push(...invalidAll(`${path}.namespace`, namespace, label1123Problems(namespace)));
  if (scope === 'Cluster' && namespace !== undefined)
    errors.push(fieldError.forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  return errors;
}

export function validateIngressClassUpdate(
  ingressClass: networking.IngressClass,
  old: networking.IngressClass,
): FieldError[] {
  return immutable(ingressClass.spec?.controller ?? '', old.spec?.controller ?? '', 'spec.controller');
}
