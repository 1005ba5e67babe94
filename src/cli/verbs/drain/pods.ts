import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { CommandContext } from '../../context.ts';
import { builtInOf } from '../../manifests/generate.ts';
import { loadIfPresent } from '../../manifests/targets.ts';
import { fetchObjects } from '../../resources/fetch.ts';

export interface PodPolicy {
  readonly force: boolean;
  readonly 'ignore-daemonsets': boolean;
  readonly 'delete-emptydir-data': boolean;
  readonly 'pod-selector': string | undefined;
}

/** What draining a node comes to. */
export interface ChosenPods {
  readonly pods: readonly Pod[];
  /** Why it must not be: nothing is done then. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

type Verdict = 'evict' | 'skip' | { readonly refusal: string } | { readonly warning: string; readonly evict: boolean };

const daemonSetRefusal = 'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)';
const localStorageRefusal = 'cannot delete Pods with local storage (use --delete-emptydir-data to override)';
const unmanagedRefusal = 'cannot delete Pods that declare no controller (use --force to override)';
const daemonSetWarning = 'ignoring DaemonSet-managed Pods';
const unmanagedWarning = 'deleting Pods that declare no controller';

/** Looks at every pod of the node. */
export async function choosePods(context: CommandContext, node: string, policy: PodPolicy): Promise<ChosenPods> {
  const found = (await fetchObjects(context, {
    info: builtInOf({ apiVersion: 'v1', kind: 'Pod' }),
    fieldSelector: `spec.nodeName=${node}`,
    labelSelector: policy['pod-selector'],
  })) as unknown as readonly Pod[];
  const pods: Pod[] = [];
  const refusals = new Map<string, string[]>();
  const warnings = new Map<string, string[]>();
  const note = (where: Map<string, string[]>, why: string, pod: Pod): void => {
    where.set(why, [...(where.get(why) ?? []), `${pod.metadata.namespace}/${pod.metadata.name}`]);
  };
  for (const pod of found) {
    const verdict = await judge(context, pod, policy);
    if (verdict === 'skip') continue;
    if (verdict === 'evict') pods.push(pod);
    else if ('refusal' in verdict) note(refusals, verdict.refusal, pod);
    else {
      note(warnings, verdict.warning, pod);
      if (verdict.evict) pods.push(pod);
    }
  }
  const tell = (notes: Map<string, string[]>): string[] =>
    [...notes].map(([why, names]) => `${why}: ${names.join(', ')}`);
  return { pods, refusals: tell(refusals), warnings: tell(warnings) };
}

async function judge(context: CommandContext, pod: Pod, policy: PodPolicy): Promise<Verdict> {
  // A static pod's mirror comes back by itself.
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return 'skip';
  const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller?.kind === 'DaemonSet' && !isOver) {
    const info = builtInOf({ apiVersion: 'apps/v1', kind: 'DaemonSet' });
    const target = { info, namespace: pod.metadata.namespace, name: controller.name };
    const isThere = (await loadIfPresent(context, target)) !== undefined;
    if (!isThere && policy.force) return 'evict';
    return policy['ignore-daemonsets'] ? { warning: daemonSetWarning, evict: false } : { refusal: daemonSetRefusal };
  }
  const hasLocalData = pod.spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined) === true;
  if (hasLocalData && !isOver && !policy['delete-emptydir-data']) return { refusal: localStorageRefusal };
  if (controller === undefined && !isOver) {
    return policy.force ? { warning: unmanagedWarning, evict: true } : { refusal: unmanagedRefusal };
  }
  return 'evict';
}
