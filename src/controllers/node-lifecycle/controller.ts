import type { Timer } from '#base/clock.ts';
import { type ControllerContext, defineController, done, type ReconcileResult, type Turn } from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { refTo } from '#client/object-key.ts';
import { podCondition } from '#kinds/core/pod/state.ts';
import { Lease as LeaseKind, Node as NodeKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Lease } from '#kinds/generated/types/coordination_v1.ts';
import type { Node, Pod, Taint } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';
import { byNodeName } from '../shared/pods.ts';
import { Heartbeats, lostConditions, readyCondition } from './health.ts';
import { NodeMetrics } from './metrics.ts';
import { changedTaints, notReadyTaint, unreachableTaint } from './taints.ts';

const leaseNamespace = 'kube-node-lease';

/** Notices nodes that are lost, and keeps their taints and their pods' readiness in step with their conditions. */
export const nodeLifecycle = defineController({
  name: 'node-controller',
  queue: 'node_lifecycle_controller',
  workers: 8,
  setup(context) {
    const nodes = new Nodes(context);
    return (name, turn) => nodes.reconcile(name, turn);
  },
});

class Nodes {
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #heartbeats = new Heartbeats();
  readonly #metrics: NodeMetrics;
  /** Nodes that are looked at when the first of them may be lost. */
  readonly #awaited = new Set<string>();
  #look: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** Nodes that run pods. */
  readonly #ready = new Set<string>();
  /** Whether no node at all runs pods: then the fault is likelier here than with all of them, and nothing is evicted. */
  #allLost = false;

  constructor(context: ControllerContext) {
    this.#context = context;
    const { clock } = context.environment;
    this.#nodes = context.watch(NodeKind, (node, event) => {
      const name = node.metadata.name ?? '';
      if (event.type === 'updated' && node === event.old) return [];
      const isReady = event.type !== 'deleted' && readyCondition(node)?.status === 'True';
      if (isReady) this.#ready.add(name);
      else this.#ready.delete(name);
      if (event.type === 'deleted') this.#heartbeats.forget(name);
      else this.#heartbeats.reported(node, clock.now());
      if (isReady && event.type === 'updated' && !hasNews(event.old, node)) return [];
      return [name, ...this.#othersIfAllLostChanged(name)];
    });
    this.#metrics = new NodeMetrics(context.metrics, () => this.#nodes.list());
    this.#pods = context.watch(PodKind);
    this.#pods.index('node', byNodeName);
    context.watch(LeaseKind, (lease, event) => {
      const isGone = event.type === 'deleted' || (event.type === 'updated' && lease === event.old);
      return isGone ? [] : this.#leaseRenewed(lease);
    });
  }

  async reconcile(name: string, turn: Turn): Promise<ReconcileResult> {
    const node = this.#nodes.get(undefined, name);
    if (node === undefined) return done;
    const nowMs = this.#context.environment.clock.now();
    const waitMs = this.#heartbeats.untilLostMs(node, nowMs);
    const current = waitMs > 0 ? node : await this.#markLost(node, nowMs, turn);
    if (readyCondition(current)?.status !== 'True') await this.#markPodsNotReady(current, nowMs, turn);
    const taints = changedTaints(current, { evict: !this.#allLost, nowMs });
    if (taints !== undefined) {
      const body = { metadata: { resourceVersion: current.metadata.resourceVersion }, spec: { taints } };
      await turn.client.patch(NodeKind, { name }, { type: 'merge', body }, { signal: turn.signal });
      if (evicts(taints) && !evicts(current.spec?.taints)) this.#metrics.evicted(current);
    }
    if (waitMs > 0) this.#lookAgain(name, waitMs);
    return done;
  }

  /** Has a turn for the node when it is lost by then: hardly ever, so that there is no turn for the look itself. */
  #lookAgain(name: string, waitMs: number): void {
    this.#awaited.add(name);
    this.#lookIn(waitMs);
  }

  /** One timer for all nodes: heartbeats keep moving the time at which each would be lost. */
  #lookIn(waitMs: number): void {
    const { clock } = this.#context.environment;
    const atMs = clock.now() + waitMs;
    if (this.#look !== undefined && this.#look.atMs <= atMs) return;
    this.#look?.timer.cancel();
    this.#look = { atMs, timer: clock.schedule(waitMs, () => this.#lookAtAll()) };
  }

  #lookAtAll(): void {
    const { environment, enqueue, signal } = this.#context;
    this.#look = undefined;
    if (signal.aborted) return;
    const nowMs = environment.clock.now();
    let leastMs = Number.POSITIVE_INFINITY;
    for (const name of this.#awaited) {
      const node = this.#nodes.get(undefined, name);
      const leftMs = node === undefined ? 0 : this.#heartbeats.untilLostMs(node, nowMs);
      if (leftMs > 0) leastMs = Math.min(leastMs, leftMs);
      else this.#awaited.delete(name);
      if (node !== undefined && leftMs === 0) enqueue(name);
    }
    if (this.#awaited.size > 0) this.#lookIn(leastMs);
  }

  async #markLost(node: Node, nowMs: number, { client, signal }: Turn): Promise<Node> {
    const conditions = lostConditions(node, nowMs);
    if (conditions === undefined) return node;
    const wasReady = readyCondition(node)?.status === 'True';
    const wanted = { ...node, status: { ...node.status, conditions } };
    const written = await client.updateStatus(NodeKind, wanted, { signal });
    if (wasReady) {
      const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
      this.#context.events.record(NodeKind, node, { type: 'Normal', reason: 'NodeNotReady', message });
    }
    return written;
  }

  /** Services must not send anybody to pods of a node that does not answer. */
  async #markPodsNotReady(node: Node, nowMs: number, { client, signal }: Turn): Promise<void> {
    for (const pod of this.#pods.index('node', byNodeName).get(node.metadata.name ?? '')) {
      const ready = podCondition(pod, 'Ready');
      if (ready?.status !== 'True') continue;
      const condition = { ...ready, status: 'False', lastTransitionTime: formatTime(nowMs) };
      const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
      try {
        await client.patch(PodKind, refTo(pod), { type: 'strategic', body }, { subresource: 'status', signal });
      } catch (error) {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
        continue;
      }
      const note = { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' } as const;
      this.#context.events.record(PodKind, pod, note);
    }
  }

  /** A renewal is only worth a turn when the node was taken for lost; else the running wait finds the newer time. */
  #leaseRenewed({ metadata, spec }: Lease): readonly string[] {
    const { namespace, name = '' } = metadata;
    if (namespace !== leaseNamespace) return [];
    this.#heartbeats.renewed(name, spec?.renewTime ?? '', this.#context.environment.clock.now());
    const node = this.#nodes.get(undefined, name);
    return node !== undefined && readyCondition(node)?.status === 'Unknown' ? [name] : [];
  }

  #othersIfAllLostChanged(name: string): readonly string[] {
    const allLost = this.#ready.size === 0 && this.#nodes.size > 0;
    if (allLost === this.#allLost) return [];
    this.#allLost = allLost;
    return [...this.#nodes.list()].map(({ metadata }) => metadata.name ?? '').filter((other) => other !== name);
  }
}

/** Whether the taints send away the pods of a node that runs none. */
function evicts(taints: readonly Taint[] = []): boolean {
  return taints.some(
    ({ key, effect }) => effect === 'NoExecute' && (key === notReadyTaint || key === unreachableTaint),
  );
}

/** Whether more than the times of a node have changed: heartbeats are not worth a turn. */
function hasNews(old: Node, node: Node): boolean {
  if (!equalValues(old.spec, node.spec)) return true;
  const statuses = ({ status }: Node) => status?.conditions?.map(({ type, status: value }) => [type, value]);
  return !equalValues(statuses(old), statuses(node));
}
