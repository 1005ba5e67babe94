import type { Node, Taint } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';
const unschedulableTaint = 'node.kubernetes.io/unschedulable';

/** Which taint each condition stands for, by its status. */
const conditionTaints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};

const managed = new Set([
  ...Object.values(conditionTaints).flatMap((byStatus) => Object.values(byStatus)),
  unschedulableTaint,
]);

/**
 * The node's taints as its conditions want them: NoSchedule for each that is bad, and NoExecute where it does not run
 * pods, unless `evict` is off. Taints that others put there stay. Undefined when nothing changes.
 */
export function changedTaints(
  node: Node,
  options: { readonly evict: boolean; readonly nowMs: number },
): readonly Taint[] | undefined {
  const old = node.spec?.taints ?? [];
  const wanted: { readonly key: string; readonly effect: string }[] = [];
  for (const { type, status } of node.status?.conditions ?? []) {
    const key = conditionTaints[type]?.[status];
    if (key !== undefined) wanted.push({ key, effect: 'NoSchedule' });
  }
  if (node.spec?.unschedulable === true) wanted.push({ key: unschedulableTaint, effect: 'NoSchedule' });
  if (options.evict) {
    const key = wanted.find((taint) => taint.key === notReadyTaint || taint.key === unreachableTaint)?.key;
    if (key !== undefined) wanted.push({ key, effect: 'NoExecute' });
  }
  const isManaged = ({ key, effect }: Taint) =>
    (effect === 'NoSchedule' && managed.has(key)) ||
    (effect === 'NoExecute' && (key === notReadyTaint || key === unreachableTaint));
  const isWanted = (taint: Taint) => wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  const kept = old.filter((taint) => !isManaged(taint) || isWanted(taint));
  const timeAdded = formatTime(options.nowMs);
  const added = wanted
    .filter(({ key, effect }) => !old.some((taint) => taint.key === key && taint.effect === effect))
    .map((taint) => ({ ...taint, timeAdded }));
  return kept.length === old.length && added.length === 0 ? undefined : [...kept, ...added];
}
