import { mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { defaultRequestHeaders } from '#apiserver/authentication/request-header.ts';
import { PublishedServer } from '#apiserver/bootstrap/kubernetes-endpoints.ts';
import { connectRoutes, upgradeHandler } from '#apiserver/connect/connect.ts';
import { type AccessOptions, accessOptions } from '#apiserver/flags.ts';
import { HttpFront } from '#apiserver/http/front.ts';
import { healthChecks } from '#apiserver/http/health.ts';
import { ServerMetrics } from '#apiserver/http/metrics.ts';
import { pathRoutes } from '#apiserver/http/paths.ts';
import { OpenApi } from '#apiserver/openapi/serve.ts';
import { ApiServer } from '#apiserver/server.ts';
import { formatIpv4, parseIpRange } from '#apiserver/services/ip-range.ts';
import { systemClock } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { randomUuid } from '#base/random.ts';
import type { Client, Identity } from '#client/client.ts';
import { type LeaderElectionOptions, runWithLeadership } from '#client/leader-election.ts';
import { startControllers } from '#controllers/index.ts';
import type { IssueLegacyToken } from '#controllers/service-account-token/fill.ts';
import type { Kubelet } from '#kubelet/kubelet.ts';
import { createSimulatedNode } from '#kubelet/simulated/simulated-node.ts';
import type { NodeApi } from '#machinery/node-api.ts';
import { startScheduler } from '#scheduler/index.ts';
import { SqliteStore } from '#storage/sqlite/store.ts';
import type { Store } from '#storage/store.ts';
import { certificateAuthority } from './certificate-authority.ts';
import { type ClusterConfig, machineAddress } from './config.ts';
import { UserError } from './data-folder.ts';
import { loadDescriptions } from './descriptions.ts';
import { encryptionConfiguration, ensureEncryptionConfiguration } from './encryption-key.ts';
import { ensurePki, type Pki, proxyClientName, servingHosts } from './pki.ts';
import type { RealNode, RealNodeOptions } from './real-node.ts';
import { Renewals } from './renewals.ts';

/** So long after its door opens nobody waits for the start of a cluster any more, milliseconds. */
const prepareAfterMs = 2000;

/** Kinds that the controllers list in one turn of the event loop: the first clients come at the same time. */
const listedTogether = 6;

/** Something that happened while a cluster came up, for the person who waits. */
export type OnStep = (step: string) => void;

/** A running cluster in this process. */
export interface Cluster {
  readonly address: string;
  readonly port: number;
  readonly pki: Pki;
  readonly client: Client;
  readonly serverUrl: string;
  /** Settles when a component failed for good. */
  readonly failed: Promise<never>;
  /** Calls back whenever certificates, the administrator's among them, have been made anew. */
  onRenewed(callback: (pki: Pki) => void): void;
  stop(): Promise<void>;
}

/** Starts everything that one process holds: store, API server, controllers, scheduler, nodes. */
export async function startCluster(config: ClusterConfig, environment: Environment, onStep: OnStep): Promise<Cluster> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const parts = new Parts();
  try {
    return await startParts(config, environment, onStep, parts);
  } catch (error) {
    // Whatever has started must not keep the process or its port alive.
    await parts.stop();
    throw error;
  }
}

/** What runs, to be stopped in the opposite order of its start. */
class Parts {
  readonly #stopping = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  readonly #running: Promise<void>[] = [];
  readonly #closers: (() => void | Promise<void>)[] = [];

  constructor() {
    // Whoever wants to know asks later; an early failure is not an unhandled one.
    this.#failure.promise.catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** A component that runs until the cluster stops; its failure is the cluster's. */
  run(name: string, work: Promise<void>): void {
    const watched = work.catch((error: unknown) => {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      if (!this.signal.aborted) this.#failure.reject(new Error(`${name} failed: ${what}`));
    });
    this.#running.push(watched);
  }

  onStop(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the cluster stops'));
    await Promise.all(this.#running);
    for (const close of this.#closers.reverse()) await close();
  }
}

async function startParts(
  config: ClusterConfig,
  environment: Environment,
  onStep: OnStep,
  parts: Parts,
): Promise<Cluster> {
  const address = config.advertiseAddress ?? (config.nodes > 0 ? machineAddress() : '127.0.0.1');
  const hosts = servingHosts({ address, ...config });
  const renew = () => ensurePki(join(config.dataDir, 'pki'), { hosts, now: environment.clock.now() });
  const pki = await renew();
  let { proxyClient } = pki;
  onStep('certificates');
  const store = await openStore(config, environment);
  parts.onStop(() => store.close());
  const { serviceCidr, featureGates } = config;
  const server = await ApiServer.start({
    store,
    upstreamForm: config.etcd !== undefined,
    environment,
    tokenSigningKey: pki.tokenSigningKey,
    serviceCidr,
    featureGates,
    admission: { enable: ['NodeRestriction'] },
    ...accessOf(config, pki),
    proxyIdentity: () => proxyClient,
  });
  parts.onStop(async () => {
    server.stop();
    await server.tracer?.close();
  });
  onStep('store');
  const nodes = new Map<string, NodeApi>();
  const front = await openFront({
    server,
    nodes,
    pki,
    config,
    environment,
    address,
    host: config.bindAddress ?? (address.startsWith('127.') ? '127.0.0.1' : '0.0.0.0'),
    stopping: parts.signal,
  });
  parts.onStop(() => front.close());
  environment.clock.schedule(prepareAfterMs, () => front.prepare());
  const renewals = new Renewals({ pki, renew, environment });
  renewals.onRenewed((renewed) => {
    proxyClient = renewed.proxyClient;
    front.useCertificate(renewed.serving, clientAuthorities(renewed, config));
  });
  parts.run('certificate renewal', renewals.run(parts.signal));
  await publishAddress(server, { address, port: front.port }, parts);
  onStep('API server');
  startControlLoops(server, { config, environment, pki }, parts);
  for (const kubelet of simulatedNodes(config, server, environment)) {
    nodes.set(kubelet.nodeName, kubelet.api);
    parts.run(kubelet.nodeName, kubelet.run(parts.signal));
  }
  onStep('controllers and scheduler');
  if (config.nodes > 0) {
    const client = (identity: Identity): Client => server.client(identity);
    const { kubelet, containerd } = await startRealNode({ config, environment, address, client }, parts);
    nodes.set(kubelet.nodeName, kubelet.api);
    onStep(containerd.adopted ? 'containerd (adopted)' : 'containerd');
  }
  const { port } = front;
  return {
    address,
    port,
    pki,
    client: server.loopback(),
    serverUrl: `https://127.0.0.1:${port}`,
    failed: parts.failed,
    onRenewed: (callback) => renewals.onRenewed(callback),
    stop: () => parts.stop(),
  };
}

/** What speaks to containerd and nftables takes a while to load, and simulated clusters never need it. */
async function startRealNode(options: RealNodeOptions, parts: Parts): Promise<RealNode> {
  const { openRealNode } = await import('./real-node.ts');
  const node = await openRealNode(options, parts.signal);
  parts.run('the node', node.run(parts.signal));
  return node;
}

/** Pods reach the server through its service; where there are only simulated ones, loopback is no place to send them. */
async function publishAddress(
  server: ApiServer,
  place: { readonly address: string; readonly port: number },
  parts: Parts,
): Promise<void> {
  if (place.address.startsWith('127.')) return;
  const published = new PublishedServer(server, place);
  await published.publish();
  parts.run('the publishing of its address', published.run(parts.signal));
  parts.onStop(() => published.withdraw());
}

/** What the cluster's own keys say about who may, and what the configuration adds to that. */
function accessOf(config: ClusterConfig, pki: Pki): AccessOptions {
  let given: AccessOptions;
  try {
    given = accessOptions(config.apiServer ?? {});
  } catch (error) {
    throw new UserError(`apiServer: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { authentication } = given;
  const ownCa = pki.authority.certificate;
  // Servers that share a store have to share its keys, too, official ones among them: none makes a key of its own.
  const folder = join(config.dataDir, 'pki');
  const own = config.etcd === undefined ? ensureEncryptionConfiguration(folder) : encryptionConfiguration(folder);
  const encryption = given.encryption ?? (own === undefined ? undefined : { configFile: own });
  return {
    ...given,
    ...(encryption === undefined ? {} : { encryption }),
    authentication: {
      requestHeader: {
        ...defaultRequestHeaders,
        clientCa: pki.frontProxyAuthority.certificate,
        allowedNames: [proxyClientName],
      },
      ...authentication,
      // The administrator's own certificate stays good.
      clientCa: authentication?.clientCa === undefined ? ownCa : `${ownCa}\n${authentication.clientCa}`,
    },
  };
}

function startControlLoops(
  server: ApiServer,
  {
    config,
    environment,
    pki,
  }: { readonly config: ClusterConfig; readonly environment: Environment; readonly pki: Pki },
  parts: Parts,
): void {
  const client = server.loopback();
  const kinds = [...server.resources.all()]
    .filter(({ storage, verbs, custom }) => storage !== undefined && custom === undefined && verbs.has('delete'))
    .map(({ kind }) => kind);
  const { aggregatedApis: aggregated } = server;
  const rootCa = pki.authority.certificate;
  const authority = certificateAuthority(pki.authority, () => environment.clock.now());
  const { featureEnabled } = server.registry;
  const issueLegacyToken: IssueLegacyToken = (names) => server.registry.tokens.issueLegacy(names);
  const controllers = (signal: AbortSignal): Promise<void> =>
    startControllers(
      { client, environment, kinds, aggregated, rootCa, authority, issueLegacyToken, featureEnabled, listedTogether },
      signal,
    );
  const scheduler = (signal: AbortSignal): Promise<void> => startScheduler({ client, environment }, signal);
  // Where there may be other servers on the same store, one of them does the work at a time.
  const led = (name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> =>
    config.etcd === undefined
      ? work(parts.signal)
      : leadAgainAndAgain({ client, environment, name, namespace: 'kube-system' }, work, parts.signal);
  parts.run('the controllers', led('kube-controller-manager', controllers));
  parts.run('the scheduler', led('kube-scheduler', scheduler));
}

/** Whoever has lost its leadership waits for the next chance. */
async function leadAgainAndAgain(
  options: Omit<LeaderElectionOptions, 'identity'>,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const identity = `${hostname()}_${randomUuid(options.environment.random)}`;
  while (!signal.aborted) await runWithLeadership({ ...options, identity }, work, signal);
}

async function openStore({ dataDir, etcd }: ClusterConfig, environment: Environment): Promise<Store> {
  if (etcd === undefined) return SqliteStore.open(join(dataDir, 'state.db'));
  const { servers, caFile, certFile, keyFile } = etcd;
  const { EtcdStore } = await import('#storage/etcd/store.ts');
  // While no member answers there is nothing else that keeps the process alive.
  const clock = systemClock({ keepAlive: true });
  return EtcdStore.open({
    endpoints: servers,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
    ...(certFile === undefined ? {} : { certificate: readFileSync(certFile, 'utf8') }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile, 'utf8') }),
    environment: { ...environment, clock },
  });
}

/** Who may present a client certificate: users, and proxies that speak for users. */
function clientAuthorities({ authority, frontProxyAuthority }: Pki, { apiServer }: ClusterConfig): readonly string[] {
  const { clientCa, requestHeader } = accessOptions(apiServer ?? {}).authentication ?? {};
  const more = [clientCa ?? [], requestHeader?.clientCa ?? []].flat();
  return [authority.certificate, frontProxyAuthority.certificate, ...more];
}

function openFront(options: {
  readonly server: ApiServer;
  readonly nodes: ReadonlyMap<string, NodeApi>;
  readonly pki: Pki;
  readonly config: ClusterConfig;
  readonly environment: Environment;
  /** Where others reach this server. */
  readonly address: string;
  readonly host: string;
  readonly stopping: AbortSignal;
}): Promise<HttpFront> {
  const { server, nodes, pki, config, environment, address, host, stopping } = options;
  const lookup = (name: string): NodeApi | undefined => nodes.get(name);
  const log = environment.log.named('apiserver');
  const metrics = new ServerMetrics(server);
  const openApi = new OpenApi(() => loadDescriptions(log));
  const health = healthChecks(server, { stopping, canLog: () => process.stderr.writable });
  return HttpFront.listen({
    server,
    routes: {
      connect: connectRoutes(lookup),
      path: pathRoutes({ health, metrics, openApi, serverAddress: () => `${address}:${config.port}` }),
    },
    metrics,
    upgrade: upgradeHandler(server, lookup, { metrics, log }),
    serving: pki.serving,
    clientCa: clientAuthorities(pki, config),
    host,
    port: config.port,
    log,
  });
}

/** Each node gets a /24 of the pod range, after those that real nodes may use. */
function simulatedNodes(config: ClusterConfig, server: ApiServer, environment: Environment): readonly Kubelet[] {
  const { first } = parseIpRange(config.podCidr);
  return Array.from({ length: config.simulatedNodes }, (_, index) => {
    const nodeName = `simulated-${index + 1}`;
    return createSimulatedNode({
      nodeName,
      client: server.client({ user: `system:node:${nodeName}`, groups: ['system:nodes'] }),
      environment,
      behaviour: config.simulation,
      podCidr: `${formatIpv4(first + (index + 8) * 256)}/24`,
      address: formatIpv4(parseIpRange('172.31.0.0/16').first + index + 2),
    });
  });
}
