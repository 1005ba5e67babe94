import { sleep } from '#base/clock.ts';
import { createEventRecorder } from '#client/events.ts';
import { Informer } from '#client/informer.ts';
import { Node as NodeKind, Pod as PodKind, Service as ServiceKind } from '#kinds/generated/handles.ts';
import type { Node, Service } from '#kinds/generated/types/core_v1.ts';
import type { NodeApi } from '#machinery/node-api.ts';
import { createNodeApi } from './api/node-api.ts';
import { Backoff } from './backoff.ts';
import { defaultConfig, type KubeletConfig, type KubeletOptions } from './config.ts';
import { measuredCri } from './cri/measured-cri.ts';
import { Housekeeping } from './housekeeping/housekeeping.ts';
import { ImagePuller } from './images/image-puller.ts';
import { pullVolumeImage } from './images/volume-image.ts';
import { HookRunner } from './lifecycle/hooks.ts';
import { NodeRegistration } from './node/node-registration.ts';
import { NodeMetrics } from './node-metrics.ts';
import { ReferencedObjects } from './objects.ts';
import type { NodeParts } from './parts.ts';
import { fieldPathOf } from './pods/containers.ts';
import { PodManager } from './pods/pod-manager.ts';
import { ProbeManager } from './probes/probe-manager.ts';
import { Prober } from './probes/prober.ts';
import { RuntimeView } from './runtime/pod-runtime.ts';
import { Semaphore } from './semaphore.ts';
import { StatusManager } from './status/status-manager.ts';
import { FileVolumes } from './volumes/file-volumes.ts';
import { ImageVolumes, type PullVolumeImage } from './volumes/image-volumes.ts';
import { PodCertificates } from './volumes/pod-certificates.ts';
import { noVolumes, type PodVolumes } from './volumes/pod-volumes.ts';
import { TokenCache } from './volumes/token-cache.ts';
import { TrustBundles } from './volumes/trust-bundles.ts';

/** A node agent. */
export interface Kubelet {
  readonly nodeName: string;
  /** Registers the node and runs its pods until the signal aborts. Running containers are left as they are. */
  run(signal: AbortSignal): Promise<void>;
  /** The streams and pages that the API server asks the node for. */
  readonly api: NodeApi;
}

/** How long to wait before the runtime's events are asked for again after they broke off. */
const eventRetryMs = 1_000;

export function createKubelet(options: KubeletOptions): Kubelet {
  const config: KubeletConfig = { ...defaultConfig, ...options.config };
  const stopping = new AbortController();
  const probed = (podUid: string) => manager.probed(podUid);
  const { parts, registration, services, noteNode } = assemble(options, config, probed, stopping.signal);
  const manager: PodManager = new PodManager({ parts, node: () => registration.node, signal: stopping.signal });
  const api = createNodeApi({ parts, manager, streams: options.streams });

  const run = async (signal: AbortSignal): Promise<void> => {
    const stop = () => stopping.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    try {
      await runNode({ options, config, parts, registration, services, manager, noteNode }, stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    } finally {
      stopping.abort();
      parts.probes.stop();
      signal.removeEventListener('abort', stop);
    }
  };
  return { nodeName: options.nodeName, run, api };
}

function assemble(
  options: KubeletOptions,
  config: KubeletConfig,
  probed: (podUid: string) => void,
  signal: AbortSignal,
) {
  const { client, environment, host, nodeName } = options;
  const metrics = options.isMeasured === true ? new NodeMetrics(environment.clock) : undefined;
  const cri = metrics === undefined ? options.cri : measuredCri(options.cri, metrics.page, environment.clock);
  const recorder = createEventRecorder({ client, environment, component: 'kubelet', host: nodeName, signal });
  const registration = new NodeRegistration({ nodeName, client, cri, host, environment, config });
  const services =
    host.storage === undefined ? undefined : new Informer<Service>({ client, environment, kind: ServiceKind });
  const execPermits = new Semaphore(config.maxConcurrentExecProbes);
  const prober = new Prober({ cri, network: host.network, environment, execPermits });
  const note: NodeParts['note'] = (pod, event) => {
    if (event.type === 'Warning' || config.recordRoutineEvents) recorder.record(PodKind, pod, event);
  };
  const { clock } = environment;
  const objects = new ReferencedObjects({ client, clock, signal });
  const images = new ImagePuller({
    cri,
    clock,
    maxConcurrentPulls: config.maxConcurrentPulls,
    backoff: config.imageBackoff,
  });
  const pull: PullVolumeImage = (pod, volume, pulling) =>
    pullVolumeImage({ images, objects, note }, pod, volume, pulling);
  const parts: NodeParts = {
    nodeName,
    config,
    environment,
    client,
    cri,
    runtimeName: () => registration.runtimeName,
    host,
    view: new RuntimeView(cri),
    objects,
    services: () => services?.list(),
    volumes: volumesFor(options, config, { objects, pull, metrics, node: () => registration.node }, signal),
    images,
    hooks: new HookRunner({ cri, network: host.network, clock }),
    probes: new ProbeManager({
      environment,
      prober,
      metrics: metrics?.probes,
      changed: probed,
      unhealthy: (pod, container, message) =>
        note(pod, { type: 'Warning', reason: 'Unhealthy', message, fieldPath: fieldPathOf(pod, container) }),
    }),
    statuses: new StatusManager({ client, environment, signal }),
    restarts: new Backoff(clock, config.restartBackoff),
    starts: new Semaphore(config.maxConcurrentStarts),
    allocatable: () => registration.allocatable,
    metrics,
    note,
  };
  const noteNode = (reason: string, message: string): void => {
    if (config.recordRoutineEvents) recorder.record(NodeKind, registration.node, { type: 'Normal', reason, message });
  };
  return { parts, registration, services, noteNode };
}

function volumesFor(
  { client, environment, host, imageMounts, featureEnabled = () => false }: KubeletOptions,
  config: KubeletConfig,
  {
    objects,
    pull,
    node,
    metrics,
  }: {
    readonly objects: ReferencedObjects;
    readonly pull: PullVolumeImage;
    readonly node: () => Node;
    readonly metrics: NodeMetrics | undefined;
  },
  signal: AbortSignal,
): PodVolumes {
  if (host.storage === undefined) return noVolumes;
  const tokens = new TokenCache({ client, environment, signal });
  const { clock } = environment;
  const { isMounted } = host.storage.mounts;
  const images = imageMounts === undefined ? undefined : new ImageVolumes({ mounts: imageMounts, pull, isMounted });
  return new FileVolumes({
    storage: host.storage,
    objects,
    tokens,
    clock,
    images,
    metrics,
    refreshMs: config.syncMs,
    bundles:
      featureEnabled('ClusterTrustBundle') && featureEnabled('ClusterTrustBundleProjection')
        ? new TrustBundles({ client, signal })
        : undefined,
    certificates: featureEnabled('PodCertificateRequest')
      ? new PodCertificates({ client, environment, node, signal })
      : undefined,
  });
}

interface Running {
  readonly options: KubeletOptions;
  readonly config: KubeletConfig;
  readonly parts: NodeParts;
  readonly registration: NodeRegistration;
  readonly services: Informer<Service> | undefined;
  readonly manager: PodManager;
  /** Says something about the node itself. */
  readonly noteNode: (reason: string, message: string) => void;
}

async function runNode(running: Running, signal: AbortSignal): Promise<void> {
  const { options, parts, registration, services, manager } = running;
  const { client, environment, nodeName } = options;
  await registration.register(signal);
  running.noteNode('Starting', 'Starting kubelet.');
  const lease = registration.keepLease(signal);
  const pods = new Informer({
    client,
    environment,
    kind: PodKind,
    scope: { fieldSelector: `spec.nodeName=${nodeName}` },
  });
  const nodes = new Informer({
    client,
    environment,
    kind: NodeKind,
    scope: { fieldSelector: `metadata.name=${nodeName}` },
  });
  nodes.subscribe({
    added: (node) => registration.observe(node),
    updated(old, node) {
      registration.observe(node);
      if (!isReady(old) && isReady(node)) running.noteNode('NodeReady', `Node ${nodeName} status is now: NodeReady`);
      if (isReady(old) && !isReady(node))
        running.noteNode('NodeNotReady', `Node ${nodeName} status is now: NodeNotReady`);
    },
  });
  const informers = [pods.run(signal), nodes.run(signal), services?.run(signal)];
  await Promise.all([pods.synced(signal), nodes.synced(signal), services?.synced(signal)]);
  const found = await listRuntime(parts, signal);
  const events = followEvents(running, signal);
  manager.follow(pods, found);
  const housekeeping = new Housekeeping({ parts, manager });
  await Promise.all([
    ...informers,
    lease,
    events,
    registration.keepStatus(signal),
    relist(running, signal),
    housekeeping.run(signal),
  ]);
}

function isReady(node: Node): boolean {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

/** What runs already, as soon as the runtime can say. */
async function listRuntime(parts: NodeParts, signal: AbortSignal) {
  for (;;) {
    try {
      return await parts.view.list(signal);
    } catch (error) {
      signal.throwIfAborted();
      parts.environment.log.warn('cannot list containers', { message: String(error) });
      await sleep(parts.environment.clock, eventRetryMs, signal);
    }
  }
}

/** Wakes the worker of every pod to which something happens in the runtime. */
async function followEvents({ parts, manager }: Running, signal: AbortSignal): Promise<void> {
  const { cri, environment, metrics, view } = parts;
  while (!signal.aborted) {
    try {
      metrics?.eventsBegan(1);
      for await (const event of cri.events(signal)) {
        if (event.type === 'relist') {
          manager.wakeAll();
          continue;
        }
        view.invalidate(event.id);
        const uid = view.podOf(event.id);
        if (uid !== undefined) manager.wake(uid);
      }
    } catch (error) {
      if (signal.aborted) return;
      metrics?.eventsEnded(1);
      environment.log.warn('lost the events of the container runtime', { message: String(error) });
    }
    if (signal.aborted) return;
    await sleep(environment.clock, eventRetryMs, signal).catch(() => undefined);
    manager.wakeAll();
  }
}

/** Looks at every pod now and then, for what no event told. */
async function relist({ config, parts, manager }: Running, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(parts.environment.clock, config.relistMs, signal).catch(() => undefined);
    if (!signal.aborted) manager.wakeAll();
  }
}
