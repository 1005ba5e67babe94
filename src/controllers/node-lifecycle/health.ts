import type { Node, NodeCondition } from '#kinds/generated/types/core_v1.ts';
import { formatTime, parseTime } from '#machinery/time.ts';

/** A node that does not report for this long is taken for lost (`--node-monitor-grace-period`). */
export const monitorGraceMs = 50_000;
/** The same for a node that has never reported (`--node-startup-grace-period`). */
export const startupGraceMs = 60_000;

/** What a lost node's kubelet would have to say something about. */
const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

export function readyCondition(node: Node): NodeCondition | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready');
}

/** When each node was last heard of, by this machine's clock: the nodes' own are not trusted. */
export class Heartbeats {
  readonly #seen = new Map<string, { renewal: string; report: string; atMs: number }>();

  /** Notes the renewal of a node's lease. @returns whether it was news. */
  renewed(name: string, renewTime: string, nowMs: number): boolean {
    const seen = this.#seen.get(name);
    if (seen === undefined) {
      this.#seen.set(name, { renewal: renewTime, report: '', atMs: nowMs });
      return true;
    }
    if (seen.renewal === renewTime) return false;
    seen.renewal = renewTime;
    seen.atMs = nowMs;
    return true;
  }

  /** Notes a status that the node itself wrote. */
  reported(node: Node, nowMs: number): void {
    const name = node.metadata.name ?? '';
    const report = readyCondition(node)?.lastHeartbeatTime ?? '';
    const seen = this.#seen.get(name);
    if (seen === undefined) {
      this.#seen.set(name, { renewal: '', report, atMs: nowMs });
    } else if (seen.report !== report) {
      seen.report = report;
      seen.atMs = nowMs;
    }
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }

  /** Milliseconds until the node counts as lost; 0 when it does. */
  untilLostMs(node: Node, nowMs: number): number {
    const seen = this.#seen.get(node.metadata.name ?? '');
    const hasReported = readyCondition(node)?.lastHeartbeatTime !== undefined || (seen?.renewal ?? '') !== '';
    if (hasReported) return Math.max(0, (seen?.atMs ?? nowMs) + monitorGraceMs - nowMs);
    return Math.max(0, parseTime(node.metadata.creationTimestamp ?? '') + startupGraceMs - nowMs);
  }
}

/** The conditions of a node that is lost; undefined when they say so already. */
export function lostConditions(node: Node, nowMs: number): readonly NodeCondition[] | undefined {
  const old = node.status?.conditions ?? [];
  const now = formatTime(nowMs);
  let changed = false;
  const kept = old.map((condition) => {
    if (!reportedConditions.includes(condition.type) || condition.status === 'Unknown') return condition;
    changed = true;
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: now,
    };
  });
  const missing = reportedConditions.filter((type) => !old.some((condition) => condition.type === type));
  if (!changed && missing.length === 0) return undefined;
  const never = missing.map((type) => ({
    type,
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
    lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
    lastTransitionTime: now,
  }));
  return [...kept, ...never];
}
