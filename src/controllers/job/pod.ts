import { Job as JobKind } from '#kinds/generated/handles.ts';
import type { Job } from '#kinds/generated/types/batch_v1.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { podFromTemplate } from '../shared/pods.ts';

/** Holds a pod until its end is in the Job's books. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const completionIndex = 'batch.kubernetes.io/job-completion-index';
const indexVariable = 'JOB_COMPLETION_INDEX';

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed';
}

export function completionIndexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[completionIndex];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** A pod of the Job; with an index when it works on one. */
export function jobPod(job: Job, index: number | undefined, annotations: Readonly<Record<string, string>> = {}): Pod {
  const pod = podFromTemplate(JobKind, job, job.spec.template);
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const name = `${job.metadata.name}-${index}`;
  const spec = pod.spec!;
  return {
    metadata: {
      ...pod.metadata,
      finalizers,
      generateName: `${name}-`,
      labels: { ...pod.metadata.labels, [completionIndex]: String(index) },
      annotations: { ...pod.metadata.annotations, ...annotations, [completionIndex]: String(index) },
    },
    spec: {
      ...spec,
      hostname: name,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexVariable)) return container;
  const fieldRef = { fieldPath: `metadata.annotations['${completionIndex}']` };
  return { ...container, env: [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef } }] };
}
