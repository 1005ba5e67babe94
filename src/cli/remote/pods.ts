import { sleep } from '#base/clock.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { formatLabelSelector } from '#machinery/labels.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { qualifiedName, type ResourceInfo } from '../discovery/mapper.ts';
import { CliError } from '../failures.ts';
import { valueAt } from '../manifests/objects.ts';
import { type LoadedTarget, loadOne } from '../manifests/targets.ts';
import { fetchObjects } from '../resources/fetch.ts';

const podInfo: ResourceInfo = {
  group: '',
  version: 'v1',
  versionRank: 0,
  resource: 'pods',
  singular: 'pod',
  kind: 'Pod',
  namespaced: true,
  verbs: [],
  shortNames: [],
  categories: [],
  subresources: [],
};

/** How often a workload that has no pod yet is looked at again. */
const podPauseMs = 500;

export const podPath = (context: CommandContext, name: string, subresource?: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(context.namespace())}/pods/${encodeURIComponent(name)}${subresource === undefined ? '' : `/${subresource}`}`;

/** The pods of the command's namespace that a selector lets through. */
export async function podsOf(context: CommandContext, labelSelector: string): Promise<readonly Pod[]> {
  const query = { info: podInfo, namespace: context.namespace(), labelSelector };
  return (await fetchObjects(context, query)) as unknown as readonly Pod[];
}

/** The label selector by which a workload or a service finds its pods. Throws CliError for anything else. */
export function selectorOfObject({ info, name, object }: LoadedTarget): string {
  const selector = valueAt(object, 'spec', 'selector') as JsonObject | undefined;
  if (selector === undefined || Object.keys(selector).length === 0) {
    if (info.resource === 'services')
      throw new CliError(`invalid service '${name}': Service is defined without a selector`);
    throw new CliError(`cannot attach to *${qualifiedName(info)}: it selects no pods`);
  }
  const isLabelSelector = 'matchLabels' in selector || 'matchExpressions' in selector;
  return formatLabelSelector((isLabelSelector ? selector : { matchLabels: selector }) as never);
}

/**
 * The pod that an argument names: itself, or the best one of a workload or service. Waits for one as long as
 * `timeoutMs`.
 */
export async function resolvePod(
  context: CommandContext,
  arg: string,
  timeoutMs: number,
): Promise<{ readonly pod: Pod; readonly owner: LoadedTarget | undefined }> {
  const target = await loadOne(context, { args: [arg], defaultType: 'pods' });
  if (target.info.kind === 'Pod') return { pod: target.object as unknown as Pod, owner: undefined };
  const selector = selectorOfObject(target);
  const deadline = context.clock.monotonic() + timeoutMs;
  for (;;) {
    const pods = await podsOf(context, selector);
    const [best] = [...pods].sort(byReadiness);
    if (best !== undefined) return { pod: best, owner: target };
    if (context.clock.monotonic() >= deadline) {
      throw new CliError(`timed out waiting for the condition`);
    }
    await sleep(context.clock, podPauseMs, context.signal);
  }
}

/** The pods that are most likely to answer come first. */
function byReadiness(a: Pod, b: Pod): number {
  return rank(a) - rank(b) || ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1);
}

function rank(pod: Pod): number {
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  const running = pod.status?.phase === 'Running';
  return (pod.metadata.deletionTimestamp === undefined ? 0 : 4) + (running ? 0 : 2) + (isReady ? 0 : 1);
}

export interface NamedContainer {
  readonly name: string;
  readonly tty?: boolean;
  readonly stdin?: boolean;
}

/** Every container of the pod: init, regular and ephemeral ones. */
export function allContainers({ spec }: Pod): readonly NamedContainer[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

/** `a, b, setup (init)`: how a choice of containers is told. */
function containerNames({ spec }: Pod): string {
  return [
    ...(spec?.containers ?? []).map(({ name }) => name),
    ...(spec?.ephemeralContainers ?? []).map(({ name }) => `${name} (ephem)`),
    ...(spec?.initContainers ?? []).map(({ name }) => `${name} (init)`),
  ].join(', ');
}

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container';

/** The container that `-c` names, or the pod's own choice, or its first, which is then told. Throws CliError. */
export function chooseContainer(
  context: CommandContext,
  pod: Pod,
  wanted: string | undefined,
  { quiet = false }: { readonly quiet?: boolean } = {},
): NamedContainer {
  const all = allContainers(pod);
  const byName = (name: string): NamedContainer | undefined => all.find((container) => container.name === name);
  if (wanted !== undefined && wanted !== '') {
    const found = byName(wanted);
    if (found !== undefined) return found;
    throw new CliError(`container ${wanted} is not valid for pod ${pod.metadata.name} out of: ${containerNames(pod)}`);
  }
  const annotated = byName(pod.metadata.annotations?.[defaultContainerAnnotation] ?? '');
  if (annotated !== undefined) return annotated;
  const first = pod.spec?.containers[0];
  if (first === undefined) throw new CliError(`Pod ${pod.metadata.name} has no containers`);
  if (all.length > 1 && !quiet) {
    context.err(`Defaulted container ${JSON.stringify(first.name)} out of: ${containerNames(pod)}\n`);
  }
  return first;
}

/** Refuses pods whose containers have all ended. Throws CliError. */
export function requireLiving({ status }: Pod, doing: string): void {
  const phase = status?.phase;
  if (phase !== 'Succeeded' && phase !== 'Failed') return;
  throw new CliError(`cannot ${doing} a container in a completed pod; current phase is ${phase}`);
}
