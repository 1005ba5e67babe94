import { defineController, done, retryAfter } from '#client/controller.ts';
import { keyOf } from '#client/object-key.ts';
import { isPodTerminal } from '#kinds/core/pod/state.ts';
import { tolerates } from '#kinds/core/pod/tolerations.ts';
import { Node as NodeKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Pod, Taint } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { parseTime } from '#machinery/time.ts';
import { byNodeName, disruptPod } from '../shared/pods.ts';

/** Upstream's bounds, in seconds. */
const deletionBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240];

/** Evicts pods from nodes with NoExecute taints that they do not tolerate, or no longer. */
export const taintEviction = defineController({
  name: 'node-controller',
  component: 'taint-eviction-controller',
  queue: 'noexec_taint_pod',
  workers: 8,
  setup(context) {
    const { clock } = context.environment;
    const { metrics } = context;
    const deletions = metrics
      .counter('taint_eviction_controller_pod_deletions_total', 'Pods that had to go for a taint.')
      .series({});
    const late = metrics
      .histogram(
        'taint_eviction_controller_pod_deletion_duration_seconds',
        'How long after they had to go pods were deleted.',
        deletionBounds,
      )
      .series({});
    const pods = context.watch(PodKind, (pod, { type }) =>
      type !== 'deleted' && (pod.spec?.nodeName ?? '') !== '' ? [keyOf(pod)] : [],
    );
    const nodes = context.watch(NodeKind, (node, event) => {
      // Heartbeats change nodes all the time; only their taints matter here.
      if (event.type === 'updated' && equalValues(event.old.spec?.taints, node.spec?.taints)) return [];
      return pods
        .index('node', byNodeName)
        .get(node.metadata.name ?? '')
        .map(keyOf);
    });
    pods.index('node', byNodeName);
    return async (key, turn) => {
      const pod = pods.getByKey(key);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return done;
      const node = nodes.get(undefined, pod.spec?.nodeName ?? '');
      const evictAtMs = evictionTimeMs(pod, node?.spec?.taints ?? [], clock.now());
      if (evictAtMs === undefined) return done;
      if (evictAtMs > clock.now()) return retryAfter(evictAtMs - clock.now());
      const message = `Marking for deletion Pod ${key}`;
      context.events.record(PodKind, pod, { type: 'Normal', reason: 'TaintManagerEviction', message });
      await disruptPod(turn, pod, {
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        nowMs: clock.now(),
      });
      deletions(1);
      late((clock.now() - evictAtMs) / 1000);
      return done;
    };
  },
});

/** When the pod has to go, in milliseconds since 1970; undefined when it may stay. */
function evictionTimeMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  const repelling = taints.filter(({ effect }) => effect === 'NoExecute');
  if (repelling.length === 0) return undefined;
  const used = new Map<Taint, readonly { readonly tolerationSeconds?: number }[]>();
  for (const taint of repelling) {
    const tolerations = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    if (tolerations.length === 0) return nowMs;
    used.set(taint, tolerations);
  }
  // The shortest toleration of all counts, from when its taint was put there; without seconds it lasts for ever.
  let earliest: number | undefined;
  for (const [taint, tolerations] of used) {
    for (const { tolerationSeconds } of tolerations) {
      if (tolerationSeconds === undefined) continue;
      const sinceMs = parseTime(taint.timeAdded ?? '');
      const atMs = (Number.isNaN(sinceMs) ? nowMs : sinceMs) + Math.max(0, tolerationSeconds) * 1000;
      earliest = Math.min(earliest ?? atMs, atMs);
    }
  }
  return earliest;
}
