import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { aborted } from '#base/tasks.ts';
import type { Client } from '#client/client.ts';
import { createEventRecorder, type EventRecorder } from '#client/events.ts';
import type { Informer } from '#client/informer.ts';
import type { Informers } from '#client/informers.ts';
import { refTo } from '#client/object-key.ts';
import { isPodTerminal, podCondition } from '#kinds/core/pod/state.ts';
import { Binding, Namespace, Node as NodeKind, PodDisruptionBudget, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PodDisruptionBudget as Budget } from '#kinds/generated/types/policy_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';
import { SchedulerCache } from './cache.ts';
import { type Diagnosis, SchedulingCycle } from './cycle.ts';
import type { ClusterEvent, SchedulerPlugin } from './framework.ts';
import { unschedulableMessage } from './messages.ts';
import { SchedulerMetrics } from './metrics.ts';
import { type PodInfo, podInfo } from './pod-info.ts';
import { preempt } from './preemption.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';

const schedulerLimits = {
  /** Bindings and status writes under way; beyond, placing waits. */
  writesInFlight: 256,
  /** Pods placed in a row before others get the event loop. */
  podsPerSlice: 32,
} as const;

export interface SchedulerOptions {
  readonly client: Client;
  readonly environment: Environment;
  readonly informers: Informers;
  readonly plugins: readonly SchedulerPlugin[];
  /** Takes the pods that ask for this scheduler. */
  readonly schedulerName: string;
}

/** Finds a node for every pod that has none, one after the other; binding goes on beside. */
export class Scheduler {
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #name: string;
  readonly #events: EventRecorder;
  readonly #pods: Informer<Pod>;
  readonly #budgets: Informer<Budget>;
  readonly #cache: SchedulerCache;
  readonly #queue: SchedulingQueue;
  readonly #cycle: SchedulingCycle;
  readonly #signal: AbortSignal;
  readonly #metrics: SchedulerMetrics | undefined;
  /** Pods that were promised a place: uid to node. */
  readonly #nominated = new Map<string, { readonly node: string; readonly info: PodInfo }>();
  readonly #writes = new Set<Promise<void>>();
  #placing: Promise<void> | undefined;
  #ready = false;

  constructor(options: SchedulerOptions, signal: AbortSignal) {
    this.#client = options.client;
    this.#environment = { ...options.environment, log: options.environment.log.named('scheduler') };
    this.#name = options.schedulerName;
    this.#signal = signal;
    const { client, informers } = options;
    this.#events = createEventRecorder({ client, environment: this.#environment, component: this.#name, signal });
    this.#cache = new SchedulerCache(informers.of(Namespace));
    const { metrics, clock } = this.#environment;
    this.#metrics = metrics === undefined ? undefined : new SchedulerMetrics(metrics, { clock, profile: this.#name });
    this.#queue = new SchedulingQueue(clock, () => this.#kick(), this.#metrics);
    if (metrics !== undefined) {
      SchedulerMetrics.describeQueue(metrics, this.#queue, this.#name);
      SchedulerMetrics.describeCache(metrics, this.#cache);
    }
    this.#cycle = new SchedulingCycle(options.plugins, this.#environment.random, this.#metrics?.phases);
    this.#budgets = informers.of(PodDisruptionBudget);
    this.#pods = informers.of(PodKind);
    this.#followNodes(informers);
    this.#followPods();
  }

  /** Runs until the signal aborts, then lets writes under way end. */
  async run(informers: Informers): Promise<void> {
    try {
      await informers.synced(this.#signal);
      this.#ready = true;
      this.#kick();
      await aborted(this.#signal);
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
    this.#queue.close();
    await this.#placing;
    await Promise.all(this.#writes);
  }

  #followNodes(informers: Informers): void {
    informers.of(NodeKind).subscribe({
      added: (node) => {
        this.#cache.setNode(node);
        this.#wake({ type: 'nodeAdded', node });
      },
      updated: (old, node) => {
        this.#cache.setNode(node);
        this.#wake({ type: 'nodeUpdated', old, node });
      },
      deleted: (node) => this.#cache.removeNode(node.metadata.name ?? ''),
    });
  }

  #followPods(): void {
    this.#pods.subscribe({
      added: (pod) => this.#podChanged(undefined, pod),
      updated: (old, pod) => this.#podChanged(old, pod),
      deleted: (pod) => this.#podGone(pod),
    });
  }

  #podChanged(old: Pod | undefined, pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const node = pod.spec?.nodeName ?? '';
    if (isPodTerminal(pod)) {
      this.#podGone(pod);
    } else if (node !== '') {
      this.#queue.remove(uid);
      this.#nominated.delete(uid);
      this.#cache.addPod(podInfo(pod), node);
      const isNew = old === undefined || (old.spec?.nodeName ?? '') === '';
      this.#wake(isNew ? { type: 'podAssigned', pod } : { type: 'assignedPodUpdated', old, pod });
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      this.#queue.remove(uid);
      this.#nominated.delete(uid);
    } else if (pod.spec?.schedulerName === this.#name && this.#cache.nodeOf(uid) === undefined) {
      const nominee = pod.status?.nominatedNodeName ?? '';
      if (nominee !== '') this.#nominated.set(uid, { node: nominee, info: podInfo(pod) });
      this.#queue.update(pod);
    }
  }

  #podGone(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    this.#queue.remove(uid);
    this.#nominated.delete(uid);
    if (this.#cache.removePod(uid) !== undefined) this.#wake({ type: 'assignedPodRemoved', pod });
  }

  #wake(event: ClusterEvent): void {
    if (this.#queue.size > 0) this.#queue.wake(event);
  }

  #kick(): void {
    if (!this.#ready || this.#placing !== undefined || this.#signal.aborted) return;
    // A microtask later, so that pods that arrive together are sorted by priority first.
    this.#placing = Promise.resolve()
      .then(() => this.#placeAll())
      .catch((error: unknown) => {
        if (!this.#signal.aborted) this.#environment.log.error('placing stopped', { message: String(error) });
      })
      .finally(() => {
        this.#placing = undefined;
        if (this.#queue.activeCount > 0) this.#kick();
      });
  }

  async #placeAll(): Promise<void> {
    for (let count = 1; !this.#signal.aborted; count++) {
      const queued = this.#queue.pop();
      if (queued === undefined) return;
      this.#placeOne(queued);
      if (this.#writes.size >= schedulerLimits.writesInFlight) await Promise.race(this.#writes);
      if (count % schedulerLimits.podsPerSlice === 0) await sleep(this.#environment.clock, 0, this.#signal);
    }
  }

  #placeOne(queued: QueuedPod): void {
    const { info } = queued;
    const sinceMs = this.#environment.clock.monotonic();
    const placement = this.#cycle.place(info, this.#cache, (node, below) => this.#nominatedOn(node, below));
    this.#metrics?.found(sinceMs);
    if (placement.outcome === 'unplaceable') {
      this.#write(this.#reject(queued, placement.diagnosis, sinceMs));
      return;
    }
    // Assumed from here on: the next pod must not be given the same room while this one is being bound.
    this.#cache.addPod(info, placement.node.name);
    this.#nominated.delete(info.uid);
    this.#write(this.#bind(queued, placement.node.name, sinceMs));
  }

  #nominatedOn(node: string, below: PodInfo): readonly PodInfo[] {
    if (this.#nominated.size === 0) return [];
    return [...this.#nominated.values()]
      .filter((entry) => entry.node === node && entry.info.uid !== below.uid && entry.info.priority >= below.priority)
      .map(({ info }) => info);
  }

  #write(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (!this.#signal.aborted) this.#environment.log.error('a write failed', { message });
      })
      .finally(() => this.#writes.delete(tracked));
    this.#writes.add(tracked);
  }

  async #bind(queued: QueuedPod, node: string, sinceMs: number): Promise<void> {
    const { pod, key, uid } = queued.info;
    const { name = '', namespace = '' } = pod.metadata;
    const binding = {
      apiVersion: 'v1',
      kind: Binding.kind,
      metadata: { name, namespace, uid },
      target: { kind: 'Node', name: node },
    };
    const bindingMs = this.#environment.clock.monotonic();
    try {
      await this.#client.createSubresource(PodKind, { name, namespace }, 'binding', binding, { signal: this.#signal });
      this.#metrics?.phases.ended('Bind', 'Success', bindingMs);
      // The informer takes it out of the queue when the pod shows its node; it stays assumed until then.
      this.#queue.remove(uid);
      this.#metrics?.attempted('scheduled', sinceMs);
      this.#metrics?.bound(queued);
      const message = `Successfully assigned ${key} to ${node}`;
      this.#events.record(PodKind, pod, { type: 'Normal', reason: 'Scheduled', message });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#metrics?.phases.ended('Bind', 'Error', bindingMs);
      this.#metrics?.attempted('error', sinceMs);
      this.#forget(uid);
      if (isReason(error, 'NotFound')) this.#queue.remove(uid);
      else {
        const message = `binding rejected: ${error instanceof Error ? error.message : String(error)}`;
        this.#queue.retry(queued);
        await this.#report(pod, 'SchedulerError', message);
      }
    }
  }

  /** Undoes an assumption, unless the pod is bound by now after all. */
  #forget(uid: string): void {
    const current = this.#queue.get(uid)?.info.pod;
    const removed = this.#cache.removePod(uid);
    if (removed !== undefined) this.#wake({ type: 'assignedPodRemoved', pod: current ?? removed });
  }

  async #reject(queued: QueuedPod, diagnosis: Diagnosis, sinceMs: number): Promise<void> {
    const { info } = queued;
    const budgets = [...this.#budgets.list()];
    const preemptingMs = this.#environment.clock.monotonic();
    const result = preempt({ pod: info, diagnosis, snapshot: this.#cache, cycle: this.#cycle, budgets });
    this.#metrics?.phases.ended('PostFilter', result.outcome === 'preempt' ? 'Success' : 'Unschedulable', preemptingMs);
    this.#metrics?.preempting(result.outcome === 'preempt' ? result.victims.length : 0);
    this.#metrics?.attempted('unschedulable', sinceMs);
    this.#queue.park(queued, diagnosis.rejectedBy);
    const message = unschedulableMessage(diagnosis, result.outcome === 'nobody' ? result.message : undefined);
    if (result.outcome === 'preempt') {
      this.#nominated.set(info.uid, { node: result.node, info });
      await this.#report(info.pod, 'Unschedulable', message, result.node);
      await Promise.all(result.victims.map((victim) => this.#evict(victim, info, result.node)));
    } else await this.#report(info.pod, 'Unschedulable', message);
  }

  async #evict(victim: PodInfo, preemptor: PodInfo, node: string): Promise<void> {
    const { pod } = victim;
    const now = formatTime(this.#environment.clock.now());
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${this.#name}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: now,
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    };
    const signal = this.#signal;
    try {
      const body = { metadata: { uid: victim.uid }, status: { conditions: [condition] } };
      await this.#client.patch(PodKind, refTo(pod), { type: 'strategic', body }, { subresource: 'status', signal });
      await this.#client.delete(PodKind, refTo(pod), { preconditions: { uid: victim.uid }, signal });
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
      throw error;
    }
    const message = `Preempted by pod ${preemptor.uid} on node ${node}`;
    this.#events.record(PodKind, pod, { type: 'Normal', reason: 'Preempted', message });
  }

  /** The event and the PodScheduled condition that say why a pod waits. */
  async #report(pod: Pod, reason: string, message: string, nominatedNodeName?: string): Promise<void> {
    this.#events.record(PodKind, pod, { type: 'Warning', reason: 'FailedScheduling', message });
    const current = podCondition(pod, 'PodScheduled');
    const isSame = current?.status === 'False' && current.reason === reason && current.message === message;
    if (isSame && nominatedNodeName === undefined) return;
    const now = formatTime(this.#environment.clock.now());
    const lastTransitionTime = current?.status === 'False' ? (current.lastTransitionTime ?? now) : now;
    const observed = pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation };
    const condition = { type: 'PodScheduled', ...observed, status: 'False', reason, message, lastTransitionTime };
    const status = {
      conditions: [condition],
      ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    };
    const body = { metadata: { uid: pod.metadata.uid }, status };
    try {
      const options = { subresource: 'status', signal: this.#signal };
      await this.#client.patch(PodKind, refTo(pod), { type: 'strategic', body }, options);
    } catch (error) {
      if (this.#signal.aborted || isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
      throw error;
    }
  }
}
