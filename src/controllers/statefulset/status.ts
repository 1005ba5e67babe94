import { isPodAvailable, isPodReady, isPodTerminal, isPodTerminating } from '#kinds/core/pod/state.ts';
import type { StatefulSet, StatefulSetStatus } from '#kinds/generated/types/apps_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { revisionHashLabel } from '../shared/revisions.ts';

/** The status that the pods amount to; an update that has come to its end makes its revision the current one. */
export function statefulSetStatus(options: {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly updateRevision: string;
  readonly currentRevision: string;
  readonly collisionCount: number | undefined;
  readonly nowMs: number;
}): StatefulSetStatus {
  const { set, pods, updateRevision, nowMs } = options;
  let { currentRevision } = options;
  const minReady = set.spec.minReadySeconds ?? 0;
  const created = pods.filter((pod) => pod.status?.phase !== undefined && pod.status.phase !== '');
  const running = created.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod));
  const available = running.filter((pod) => isPodAvailable(pod, minReady, nowMs));
  const alive = created.filter((pod) => !isPodTerminating(pod) && !isPodTerminal(pod));
  const ofRevision = (name: string) =>
    alive.filter(({ metadata }) => metadata.labels?.[revisionHashLabel] === name).length;
  const updated = ofRevision(updateRevision);
  const isRolling = set.spec.updateStrategy?.type !== 'OnDelete';
  if (
    isRolling &&
    updated === created.length &&
    running.length === created.length &&
    created.length === (set.spec.replicas ?? 1)
  ) {
    currentRevision = updateRevision;
  }
  const current = ofRevision(currentRevision);
  const { collisionCount } = options;
  const { conditions } = set.status ?? {};
  return {
    replicas: created.length,
    ...(running.length === 0 ? {} : { readyReplicas: running.length }),
    ...(available.length === 0 ? {} : { availableReplicas: available.length }),
    ...(current === 0 ? {} : { currentReplicas: current }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision,
    updateRevision,
    observedGeneration: set.metadata.generation ?? 0,
    collisionCount: collisionCount ?? 0,
    ...(conditions === undefined ? {} : { conditions }),
  };
}
