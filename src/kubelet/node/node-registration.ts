import { passed, sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import { Lease as LeaseKind, Node as NodeKind } from '#kinds/generated/handles.ts';
import type { Lease } from '#kinds/generated/types/coordination_v1.ts';
import type { Node, NodeStatus } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { formatMicroTime } from '#machinery/time.ts';
import type { KubeletConfig } from '../config.ts';
import type { Cri } from '../cri/cri.ts';
import type { Host } from '../host/host.ts';
import { same } from '../status/status-patch.ts';
import { type NodeFacts, nodeLabels, nodeObject, nodeStatus } from './node-object.ts';

const registrationRetryMs = { first: 200, max: 7_000 };
const leaseNamespace = 'kube-node-lease';

/** Registers the node, keeps its status true and its lease fresh. */
export class NodeRegistration {
  readonly #nodeName: string;
  readonly #client: Client;
  readonly #cri: Cri;
  readonly #host: Host;
  readonly #environment: Environment;
  readonly #config: KubeletConfig;
  #node: Node;
  #runtime = { name: 'unknown', version: '' };
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #lease: Lease | undefined;

  constructor(options: {
    readonly nodeName: string;
    readonly client: Client;
    readonly cri: Cri;
    readonly host: Host;
    readonly environment: Environment;
    readonly config: KubeletConfig;
  }) {
    this.#nodeName = options.nodeName;
    this.#client = options.client;
    this.#cri = options.cri;
    this.#host = options.host;
    this.#environment = options.environment;
    this.#config = options.config;
    this.#node = { metadata: { name: options.nodeName }, spec: {} };
  }

  /** The node as last known: its labels and taints are the cluster's to change. */
  get node(): Node {
    return this.#node;
  }

  /** For example `containerd`. */
  get runtimeName(): string {
    return this.#runtime.name;
  }

  get allocatable(): Readonly<Record<string, string>> {
    return this.#node.status?.allocatable ?? {};
  }

  observe(node: Node): void {
    this.#node = node;
  }

  /** Creates the node, or takes over the one that is there. Retries until it has worked. */
  async register(signal: AbortSignal): Promise<void> {
    let delayMs = registrationRetryMs.first;
    for (;;) {
      try {
        const facts = await this.#facts(signal);
        this.#node = await this.#createOrAdopt(facts, signal);
        this.#reportedAtMs = this.#environment.clock.now();
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#environment.log.warn('cannot register node', { node: this.#nodeName, message: String(error) });
        await sleep(this.#environment.clock, delayMs, signal);
        delayMs = Math.min(registrationRetryMs.max, delayMs * 2);
      }
    }
  }

  async #createOrAdopt(facts: NodeFacts, signal: AbortSignal): Promise<Node> {
    try {
      const created = await this.#client.create(NodeKind, nodeObject(facts), { signal });
      if (created.status?.conditions !== undefined) return created;
      return await this.#patchStatus(nodeStatus(facts, undefined), undefined, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
    }
    const ref = { name: this.#nodeName };
    const found = await this.#client.get(NodeKind, ref, { signal });
    const labels = nodeLabels(facts);
    const present = found.metadata.labels ?? {};
    if (Object.entries(labels).some(([name, value]) => present[name] !== value))
      await this.#client.patch(NodeKind, ref, { type: 'merge', body: { metadata: { labels } } }, { signal });
    return this.#patchStatus(nodeStatus(facts, found.status), found.status, signal);
  }

  /** Reports the status when it has changed, and now and then when it has not. */
  async keepStatus(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#environment;
    while (!signal.aborted) {
      try {
        await sleep(clock, this.#config.nodeStatusUpdateMs * (0.9 + random.next() / 5), signal);
        await this.reportStatus(signal);
      } catch (error) {
        if (signal.aborted) return;
        log.warn('cannot report node status', { node: this.#nodeName, message: String(error) });
      }
    }
  }

  async reportStatus(signal: AbortSignal): Promise<void> {
    const nowMs = this.#environment.clock.now();
    const facts = await this.#facts(signal);
    const status = nodeStatus(facts, this.#node.status);
    const isDue = nowMs - this.#reportedAtMs >= this.#config.nodeStatusReportMs;
    if (!isDue && same(withoutHeartbeats(status), withoutHeartbeats(this.#node.status ?? {}))) return;
    try {
      this.#node = await this.#patchStatus(status, this.#node.status, signal);
      this.#reportedAtMs = nowMs;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 404) throw error;
      // Somebody deleted the node while it lives: it comes back.
      await this.register(signal);
    }
  }

  async #patchStatus(status: NodeStatus, previous: NodeStatus | undefined, signal: AbortSignal): Promise<Node> {
    const addresses = status.addresses ?? [];
    const gone = (previous?.addresses ?? []).filter(
      ({ type, address }) => !addresses.some((one) => one.type === type && one.address === address),
    );
    const news = Object.entries(status).filter(([name, value]) => !same(value, previous?.[name as keyof NodeStatus]));
    const body = {
      status: {
        ...Object.fromEntries(news),
        // Addresses merge by type: a list in which one went has to be replaced as a whole.
        ...(gone.length === 0 ? {} : { addresses: [{ $patch: 'replace' }, ...addresses] }),
      },
    };
    const options = { subresource: 'status', signal };
    return this.#client.patch(NodeKind, { name: this.#nodeName }, { type: 'strategic', body }, options);
  }

  async #facts(signal: AbortSignal): Promise<NodeFacts> {
    let problem = '';
    try {
      const { runtimeName, runtimeVersion } = await this.#cri.version(signal);
      this.#runtime = { name: runtimeName, version: runtimeVersion };
      const { status } = await this.#cri.status({}, signal);
      for (const { type, status: isMet, reason, message } of status?.conditions ?? [])
        if (!isMet && (type === 'RuntimeReady' || type === 'NetworkReady'))
          problem ||= `container runtime ${type === 'NetworkReady' ? 'network ' : ''}not ready: ${type}=false reason:${reason} message:${message}`;
    } catch (error) {
      signal.throwIfAborted();
      problem = `container runtime is down: ${error instanceof Error ? error.message : String(error)}`;
    }
    return {
      nodeName: this.#nodeName,
      host: this.#host,
      config: this.#config,
      runtimeName: this.#runtime.name,
      runtimeVersion: this.#runtime.version,
      images: problem === '' ? await this.#cri.listImages({}, signal) : [],
      usage: await this.#host.usage(signal).catch(() => undefined),
      problem,
      nowMs: this.#environment.clock.now(),
    };
  }

  /** Renews the lease by which the control plane knows that the node lives. */
  async keepLease(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#environment;
    while (!signal.aborted) {
      try {
        await this.#renew(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#lease = undefined;
        log.warn('cannot renew node lease', { node: this.#nodeName, message: String(error) });
      }
      await passed(clock, this.#config.leaseRenewMs * (1 + random.next() * 0.04), signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const renewTime = formatMicroTime(this.#environment.clock.now());
    if (this.#lease === undefined) {
      this.#lease = await this.#client
        .get(LeaseKind, { namespace: leaseNamespace, name: this.#nodeName }, { signal })
        .catch((error: unknown) => {
          if (error instanceof ApiError && error.code === 404) return undefined;
          throw error;
        });
    }
    const spec = {
      holderIdentity: this.#nodeName,
      leaseDurationSeconds: this.#config.leaseDurationSeconds,
      renewTime,
    };
    if (this.#lease !== undefined) {
      this.#lease = await this.#client.update(
        LeaseKind,
        { ...this.#lease, spec: { ...this.#lease.spec, ...spec } },
        { signal },
      );
      return;
    }
    const owner = { apiVersion: 'v1', kind: 'Node', name: this.#nodeName, uid: this.#node.metadata.uid ?? '' };
    const metadata = { name: this.#nodeName, namespace: leaseNamespace, ownerReferences: [owner] };
    this.#lease = await this.#client.create(LeaseKind, { metadata, spec }, { signal });
  }
}

function withoutHeartbeats(status: NodeStatus): NodeStatus {
  return {
    ...status,
    conditions: (status.conditions ?? []).map(({ lastHeartbeatTime: _, ...condition }) => condition),
  };
}
