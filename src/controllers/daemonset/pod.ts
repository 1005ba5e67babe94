import { podAdmitsNode } from '#kinds/core/pod/node-affinity.ts';
import { untoleratedTaint } from '#kinds/core/pod/tolerations.ts';
import { DaemonSet as DaemonSetKind } from '#kinds/generated/handles.ts';
import type { DaemonSet } from '#kinds/generated/types/apps_v1.ts';
import type { Node, NodeSelectorTerm, Pod, PodSpec, Toleration } from '#kinds/generated/types/core_v1.ts';
import { podFromTemplate } from '../shared/pods.ts';
import { revisionHashLabel } from '../shared/revisions.ts';

const templateGenerationLabel = 'pod-template-generation';
const templateGenerationAnnotation = 'deprecated.daemonset.template.generation';

/** Daemons run on nodes that are in trouble: some are there to help. */
function daemonTolerations(spec: PodSpec): readonly Toleration[] {
  const evicting = ['not-ready', 'unreachable'].map((name) => ({ name, effect: 'NoExecute' }));
  const repelling = ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'];
  if (spec.hostNetwork === true) repelling.push('network-unavailable');
  const all = [...evicting, ...repelling.map((name) => ({ name, effect: 'NoSchedule' }))];
  return all.map(({ name, effect }) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }));
}

function specFor(set: DaemonSet): PodSpec {
  const spec = set.spec?.template.spec ?? { containers: [] };
  const own = spec.tolerations ?? [];
  const isSame = (left: Toleration, right: Toleration) =>
    left.key === right.key && left.effect === right.effect && (left.operator ?? 'Equal') === right.operator;
  const added = daemonTolerations(spec).filter((toleration) => !own.some((other) => isSame(other, toleration)));
  return { ...spec, tolerations: [...own, ...added] };
}

/** Whether a daemon should be started on the node, and whether one that is there may stay. */
export function placementOn(set: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = specFor(set);
  const nodeName = spec.nodeName ?? '';
  const isAdmitted = podAdmitsNode(spec, node) && (nodeName === '' || nodeName === node.metadata.name);
  if (!isAdmitted) return { run: false, stay: false };
  const untolerated = (effects: readonly string[]) => untoleratedTaint(node.spec?.taints, spec.tolerations, effects);
  if (untolerated(['NoExecute']) !== undefined) return { run: false, stay: false };
  return { run: untolerated(['NoSchedule']) === undefined, stay: true };
}

/** The daemon of one node; the scheduler places it there and nowhere else. */
export function daemonFor(set: DaemonSet, nodeName: string, hash: string): Pod {
  const template = set.spec?.template ?? {};
  const generation = templateGeneration(set);
  const labels = {
    ...template.metadata?.labels,
    [revisionHashLabel]: hash,
    ...(generation === undefined ? {} : { [templateGenerationLabel]: generation }),
  };
  const spec = specFor(set);
  const pod = podFromTemplate(DaemonSetKind, set, { ...template, metadata: { ...template.metadata, labels }, spec });
  return { ...pod, spec: { ...spec, affinity: pinnedTo(spec.affinity, nodeName) } };
}

function templateGeneration(set: DaemonSet): string | undefined {
  return set.metadata.annotations?.[templateGenerationAnnotation];
}

/** The node that a daemon is for, also before it is bound. */
export function nodeNameOf(pod: Pod): string {
  const bound = pod.spec?.nodeName ?? '';
  if (bound !== '') return bound;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (field?.values?.length === 1) return field.values[0]!;
  }
  return '';
}

/** The name is a requirement beside the template's own in every term, as alternatives each must hold it. */
function pinnedTo(affinity: PodSpec['affinity'], nodeName: string): NonNullable<PodSpec['affinity']> {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }];
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms: readonly NodeSelectorTerm[] = required?.nodeSelectorTerms ?? [];
  const nodeSelectorTerms = terms.length === 0 ? [{ matchFields }] : terms.map((term) => ({ ...term, matchFields }));
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
    },
  };
}
