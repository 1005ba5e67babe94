import type { Answer, Question } from 'dns-packet';
import type { Service } from '#kinds/generated/types/core_v1.ts';
import type { Endpoint, EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';

/** What the cluster's names are made of. */
export interface NameSource {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, name: string): Iterable<EndpointSlice>;
  hasNamespace(name: string): boolean;
  servicesAt(address: string): Iterable<Service>;
  slicesAt(address: string): Iterable<EndpointSlice>;
}

/**
 * The answer to a question about the cluster's own names. `alias` is where the answer has to be sought further: the
 * target of an ExternalName service.
 */
export interface ClusterAnswer {
  readonly code: 'NOERROR' | 'NXDOMAIN';
  readonly answers: readonly Answer[];
  readonly additionals: readonly Answer[];
  readonly alias?: string;
}

/** Seconds for which clients may keep an answer, positive or not: what kubeadm sets for CoreDNS. */
export const recordTtl = 30;

const noSuchName: ClusterAnswer = { code: 'NXDOMAIN', answers: [], additionals: [] };
const noSuchType: ClusterAnswer = { code: 'NOERROR', answers: [], additionals: [] };

/**
 * Answers questions by Kubernetes' DNS specification 1.1.0. Undefined when the name is not the cluster's to answer.
 * @param zone for example `cluster.local`.
 */
export function answerClusterQuestion(question: Question, zone: string, source: NameSource): ClusterAnswer | undefined {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name === zone) return noSuchType;
  if (!name.endsWith(`.${zone}`)) return question.type === 'PTR' ? reverse(question, name, zone, source) : undefined;
  const labels = name.slice(0, -zone.length - 1).split('.');
  const kind = labels.pop();
  if (kind === 'dns-version' && labels.length === 0) {
    return question.type === 'TXT' ? found([record(question, { type: 'TXT', data: '1.1.0' })]) : noSuchType;
  }
  if (kind !== 'svc' && kind !== 'pod') return noSuchName;
  const namespace = labels.pop();
  if (namespace === undefined) return noSuchType;
  if (!source.hasNamespace(namespace)) return noSuchName;
  if (labels.length === 0) return noSuchType;
  return kind === 'pod' ? podAnswer(question, labels) : serviceAnswer(question, labels, namespace, zone, source);
}

/** `10-244-0-3.default.pod`: any address, as with CoreDNS' setting `pods insecure`. */
function podAnswer(question: Question, labels: readonly string[]): ClusterAnswer {
  const address = labels.length === 1 ? undashed(labels[0]!) : undefined;
  return address === undefined ? noSuchName : addressAnswer(question, [address]);
}

function serviceAnswer(
  question: Question,
  labels: readonly string[],
  namespace: string,
  zone: string,
  source: NameSource,
): ClusterAnswer {
  const [name = '', ...rest] = labels.toReversed();
  const service = source.service(namespace, name);
  if (service === undefined) return noSuchName;
  const domain = `${name}.${namespace}.svc.${zone}`;
  const { spec } = service;
  if (spec?.type === 'ExternalName')
    return rest.length === 0 ? externalAnswer(question, spec.externalName ?? '') : noSuchName;
  const isHeadless = spec?.clusterIP === 'None';
  const targets = isHeadless || rest.length === 1 ? endpointTargets(source.slices(namespace, name), domain) : [];
  if (rest.length === 0) {
    const addresses = isHeadless
      ? targets.map((target) => target.address)
      : (spec?.clusterIPs ?? [spec?.clusterIP ?? '']);
    // A headless service without a ready endpoint has no name yet.
    if (isHeadless && addresses.length === 0) return noSuchName;
    if (question.type === 'SRV')
      return srvAnswer(question, isHeadless ? targets : [serviceTarget(service, domain)], () => true);
    return addressAnswer(question, addresses);
  }
  if (rest.length === 1) {
    const addresses = targets.filter((target) => target.host === rest[0]).map((target) => target.address);
    return addresses.length === 0 ? noSuchName : addressAnswer(question, addresses);
  }
  const [protocol = '', port = ''] = rest;
  if (rest.length > 2 || !protocol.startsWith('_') || !port.startsWith('_')) return noSuchName;
  const candidates = isHeadless ? targets : [serviceTarget(service, domain)];
  const matches = (candidate: TargetPort): boolean =>
    candidate.name === port.slice(1) && candidate.protocol.toLowerCase() === protocol.slice(1);
  if (!candidates.some((candidate) => candidate.ports.some(matches))) return noSuchName;
  return question.type === 'SRV' ? srvAnswer(question, candidates, matches) : noSuchType;
}

interface TargetPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** What a name of the cluster leads to. */
interface Target {
  /** The first label of an endpoint's name. */
  readonly host: string;
  readonly domain: string;
  readonly address: string;
  readonly ports: readonly TargetPort[];
}

function serviceTarget(service: Service, domain: string): Target {
  const ports = (service.spec?.ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({ name, protocol, port }));
  return { host: '', domain, address: service.spec?.clusterIP ?? '', ports };
}

function endpointTargets(slices: Iterable<EndpointSlice>, domain: string): readonly Target[] {
  const targets = new Map<string, Target>();
  for (const slice of slices) {
    const ports = (slice.ports ?? []).map(({ name = '', protocol = 'TCP', port = 0 }) => ({ name, protocol, port }));
    for (const endpoint of slice.endpoints ?? []) {
      // Unready endpoints of services that publish them all the same are marked ready in the slice.
      if (endpoint.conditions?.ready === false) continue;
      for (const address of endpoint.addresses) {
        const host = hostOf(endpoint, address);
        targets.set(`${host} ${address}`, { host, domain: `${host}.${domain}`, address, ports });
      }
    }
  }
  return [...targets.values()];
}

function hostOf(endpoint: Endpoint, address: string): string {
  return endpoint.hostname ?? dashed(address);
}

function externalAnswer(question: Question, target: string): ClusterAnswer {
  const alias = target.replace(/\.$/, '');
  return {
    ...found([record(question, { type: 'CNAME', data: alias })]),
    ...(question.type === 'CNAME' ? {} : { alias }),
  };
}

function addressAnswer(question: Question, addresses: readonly string[]): ClusterAnswer {
  const wanted = new Set(addresses.filter((address) => typeOf(address) === question.type));
  return found([...wanted].map((address) => addressRecord(question.name, address)));
}

function srvAnswer(
  question: Question,
  targets: readonly Target[],
  matches: (port: TargetPort) => boolean,
): ClusterAnswer {
  const answers: Answer[] = [];
  const additionals = new Map<string, Answer>();
  for (const target of targets) {
    for (const { port } of target.ports.filter(matches)) {
      const weight = Math.max(1, Math.floor(100 / targets.length));
      answers.push(record(question, { type: 'SRV', data: { priority: 0, weight, port, target: target.domain } }));
      if (typeOf(target.address) !== undefined)
        additionals.set(`${target.domain} ${target.address}`, addressRecord(target.domain, target.address));
    }
  }
  return { ...found(answers), additionals: [...additionals.values()] };
}

/** Names of addresses: services by their cluster IP, endpoints by the services that they stand behind. */
function reverse(question: Question, name: string, zone: string, source: NameSource): ClusterAnswer | undefined {
  const address = addressOfReverseName(name);
  if (address === undefined) return undefined;
  const names = [...source.servicesAt(address)].map(
    ({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${zone}`,
  );
  if (names.length === 0) {
    for (const { metadata, endpoints } of source.slicesAt(address)) {
      const service = metadata.labels?.['kubernetes.io/service-name'];
      const endpoint = endpoints?.find(({ addresses }) => addresses.includes(address));
      if (service === undefined || endpoint === undefined) continue;
      names.push(`${hostOf(endpoint, address)}.${service}.${metadata.namespace}.svc.${zone}`);
    }
  }
  // Not the cluster's address: the next resolver may know.
  return names.length === 0 ? undefined : found(names.map((data) => record(question, { type: 'PTR', data })));
}

/** The address in `3.0.244.10.in-addr.arpa` or its IPv6 counterpart, which spells every digit. */
export function addressOfReverseName(name: string): string | undefined {
  const v4 = /^(\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa$/.exec(name);
  if (v4 !== null) return v4[1]!.split('.').reverse().join('.');
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  if (v6 === null) return undefined;
  const digits = v6[1]!.replaceAll('.', '').split('').reverse().join('');
  return canonicalIpv6(digits.match(/.{4}/g)!.join(':'));
}

/** The shortest spelling, which is the one that the API stores. */
function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function dashed(address: string): string {
  return address.replace(/[.:]/g, '-');
}

function undashed(label: string): string | undefined {
  if (/^\d{1,3}(-\d{1,3}){3}$/.test(label)) {
    const parts = label.split('-').map(Number);
    return parts.every((part) => part <= 255) ? parts.join('.') : undefined;
  }
  try {
    return /^[0-9a-f-]+$/.test(label) && label.split('-').length > 2
      ? canonicalIpv6(label.replaceAll('-', ':'))
      : undefined;
  } catch {
    return undefined;
  }
}

function typeOf(address: string): 'A' | 'AAAA' | undefined {
  if (address.includes(':')) return 'AAAA';
  return /^\d/.test(address) ? 'A' : undefined;
}

function addressRecord(name: string, address: string): Answer {
  return { name, type: typeOf(address) ?? 'A', class: 'IN', ttl: recordTtl, data: address };
}

type Data =
  | { readonly type: 'CNAME' | 'PTR' | 'TXT'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { priority: number; weight: number; port: number; target: string } };

function record(question: Question, data: Data): Answer {
  return { name: question.name, class: 'IN', ttl: recordTtl, ...data };
}

function found(answers: readonly Answer[]): ClusterAnswer {
  return { code: 'NOERROR', answers, additionals: [] };
}
