import type { Answer, Question } from 'dns-packet';
import type { Environment } from '#base/environment.ts';
import { randomInteger } from '#base/random.ts';
import type { Informers } from '#client/informers.ts';
import { keyFor } from '#client/object-key.ts';
import { EndpointSlice, Namespace, Service } from '#kinds/generated/handles.ts';
import { Forwarder, type Resolver } from './forwarder.ts';
import { answerClusterQuestion, type NameSource, recordTtl } from './records.ts';
import { type DnsAnswer, serveDns } from './server.ts';

export interface ClusterDnsOptions {
  readonly informers: Informers;
  readonly environment: Environment;
  /** Where to listen: an address of this machine. */
  readonly address: string;
  readonly port?: number;
  /** For example `cluster.local`. */
  readonly clusterDomain: string;
  /** Asked for everything else; see `hostResolvers`. */
  readonly resolvers: readonly Resolver[];
}

/** An alias that leads to another is followed this far. */
const maxAliases = 8;

/**
 * Serves the cluster's names, in this process and from its caches: an answer never waits for the API. Resolves, once it
 * listens and knows every service, with the port and the promise of the end.
 */
export async function startClusterDns(
  options: ClusterDnsOptions,
  signal: AbortSignal,
): Promise<{ readonly port: number; readonly ended: Promise<void> }> {
  const source = await nameSource(options.informers, signal);
  const forwarder = new Forwarder(options.resolvers, options.environment);
  const zone = options.clusterDomain;
  const answer = async (question: Question, answerSignal: AbortSignal, depth = 0): Promise<DnsAnswer> => {
    const own = answerClusterQuestion(question, zone, source);
    if (own === undefined) return { authoritative: false, ...(await forwarder.ask(question, answerSignal)) };
    const authorities = own.answers.length === 0 ? [startOfAuthority(zone)] : [];
    const answers = rotated(own.answers, options.environment);
    const base = { code: own.code, authoritative: true, answers, authorities, additionals: own.additionals };
    if (own.alias === undefined || depth === maxAliases) return base;
    const target = await answer({ ...question, name: own.alias }, answerSignal, depth + 1);
    return { ...base, code: target.code, answers: [...answers, ...target.answers] };
  };
  const { clock } = options.environment;
  return serveDns({ address: options.address, port: options.port ?? 53, answer, clock }, signal);
}

async function nameSource(informers: Informers, signal: AbortSignal): Promise<NameSource> {
  const services = informers.of(Service);
  const slices = informers.of(EndpointSlice);
  const namespaces = informers.of(Namespace);
  const serviceAt = services.index(
    'clusterIP',
    ({ spec }) => spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []),
  );
  const sliceOf = slices.index('service', ({ metadata }) => [
    keyFor(metadata.namespace, metadata.labels?.['kubernetes.io/service-name'] ?? ''),
  ]);
  const sliceAt = slices.index('address', ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses));
  await Promise.all([services.synced(signal), slices.synced(signal), namespaces.synced(signal)]);
  return {
    service: (namespace, name) => services.get(namespace, name),
    slices: (namespace, name) => sliceOf.get(keyFor(namespace, name)),
    hasNamespace: (name) => namespaces.get(undefined, name) !== undefined,
    servicesAt: (address) => serviceAt.get(address),
    slicesAt: (address) => sliceAt.get(address),
  };
}

/** By it resolvers know how long to remember a "no" (RFC 2308). */
function startOfAuthority(zone: string): Answer {
  const data = {
    mname: `ns.dns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: recordTtl,
  };
  return { name: zone, type: 'SOA', class: 'IN', ttl: recordTtl, data };
}

/** Starts at another record each time: clients take the first. */
function rotated(answers: readonly Answer[], { random }: Environment): readonly Answer[] {
  const at = randomInteger(random, Math.max(1, answers.length));
  return [...answers.slice(at), ...answers.slice(0, at)];
}
