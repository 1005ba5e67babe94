import { isPodAvailable, isPodTerminating } from '#kinds/core/pod/state.ts';
import type { DaemonSet } from '#kinds/generated/types/apps_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { resolveIntOrPercent } from '../shared/int-or-percent.ts';
import { revisionHashLabel } from '../shared/revisions.ts';

/**
 * Daemons of an older template to remove now, and nodes to start a second daemon on, within what the update strategy
 * allows to be missing or too many. `byNode` has every node that should run a daemon.
 */
export function rollingUpdateVictims(
  set: DaemonSet,
  byNode: ReadonlyMap<string, readonly Pod[]>,
  hash: string,
  nowMs: number,
): { readonly remove: readonly Pod[]; readonly surge: readonly string[] } {
  const { maxUnavailable, maxSurge } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const surgeLimit = resolveIntOrPercent(maxSurge, byNode.size, { round: 'up' });
  const unavailableLimit = resolveIntOrPercent(maxUnavailable ?? 1, byNode.size, { round: 'up' });
  const limit = surgeLimit === 0 ? Math.max(1, unavailableLimit) : unavailableLimit;
  const minReady = set.spec?.minReadySeconds ?? 0;
  const isNew = ({ metadata }: Pod) => metadata.labels?.[revisionHashLabel] === hash;
  const isUp = (pod: Pod | undefined) => pod !== undefined && isPodAvailable(pod, minReady, nowMs);
  const remove: Pod[] = [];
  const replaceable: Pod[] = [];
  const surge: string[] = [];
  let unavailable = 0;
  let surging = 0;
  for (const [node, pods] of byNode) {
    const alive = pods.filter((pod) => !isPodTerminating(pod));
    const fresh = alive.find(isNew);
    const old = alive.find((pod) => !isNew(pod));
    if (surgeLimit > 0) {
      if (fresh !== undefined && old !== undefined) surging++;
      if (old !== undefined && (isUp(fresh) || !isUp(old))) remove.push(old);
      else if (old !== undefined && fresh === undefined && pods.length === alive.length) surge.push(node);
      continue;
    }
    if (!isUp(fresh ?? old)) unavailable++;
    if (old === undefined || fresh !== undefined) continue;
    // One that serves nobody costs nothing to replace.
    if (isUp(old)) replaceable.push(old);
    else remove.push(old);
  }
  return {
    remove: [...remove, ...replaceable.slice(0, Math.max(0, limit - unavailable))],
    surge: surge.slice(0, Math.max(0, surgeLimit - surging)),
  };
}
