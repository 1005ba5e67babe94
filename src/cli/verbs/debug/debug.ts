import { randomSuffix } from '#base/random.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { builtInOf, createGenerated } from '../../manifests/generate.ts';
import { patchTarget } from '../../manifests/patches.ts';
import { type LoadedTarget, loadOne } from '../../manifests/targets.ts';
import { untilObject } from '../../manifests/watch.ts';
import { announceAttach, streamsOf } from '../../remote/attach.ts';
import { podPath } from '../../remote/pods.ts';
import { defineVerb } from '../../verb.ts';
import { joinOrRead, printLog } from '../run/attach.ts';
import { copyOf, debugContainer, nodePod } from './pods.ts';

const flags = {
  attach: booleanFlag(
    "If true, wait for the container to start running, and then attach as if 'kubectl attach ...' were called.",
  ),
  container: textFlag('Container name to use for debug container.', { short: 'c' }),
  'copy-to': textFlag('Create a copy of the target Pod with this name.'),
  env: arrayFlag('Environment variables to set in the container.'),
  image: textFlag('Container image to use for debug container.'),
  'image-pull-policy': textFlag('The image pull policy for the container.'),
  profile: textFlagWith(
    'general',
    'Options are "legacy", "general", "baseline", "netadmin", "restricted" or "sysadmin".',
  ),
  quiet: booleanFlag('If true, suppress informational messages.', { short: 'q' }),
  replace: booleanFlag("When used with '--copy-to', delete the original Pod."),
  'same-node': booleanFlag("When used with '--copy-to', schedule the copy of target Pod on the same node."),
  'set-image': arrayFlag("When used with '--copy-to', a list of name=image pairs for changing container images."),
  'share-processes': booleanFlag("When used with '--copy-to', enable process namespace sharing in the copy.", {
    initial: true,
  }),
  stdin: booleanFlag('Keep stdin open on the container(s) in the pod, even if nothing is attached.', { short: 'i' }),
  target: textFlag('When using an ephemeral container, target processes in this container name.'),
  tty: booleanFlag('Allocate a TTY for the debugging container.', { short: 't' }),
} as const;

export type DebugFlags = FlagValues<typeof flags>;

export const debug = defineVerb({
  name: 'debug',
  summary: 'Create debugging sessions for troubleshooting workloads and nodes',
  about:
    'Adds an ephemeral container to a running pod, makes a copy of a pod that can be looked at, or starts a pod in the namespaces of a node.',
  usage: '(POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]',
  examples: `
# A shell beside the container of a pod
kubectl debug web-0 -it --image=busybox --target=web

# A shell on a node, whose files are under /host
kubectl debug node/worker-1 -it --image=busybox`,
  flags,
  async run(context, values, args) {
    const [named, ...command] = args;
    if (named === undefined) throw new CliError('NAME or filename is required for debug');
    if (values.image === undefined && values['copy-to'] === undefined) {
      throw new CliError('you must specify --image when not using --copy-to.');
    }
    const target = await loadOne(context, { args: [named], defaultType: 'pods' });
    const name = values.container ?? `debugger-${randomSuffix(context.random)}`;
    const question = { name, command, flags: values };
    if (target.info.kind === 'Node') {
      const pod = nodePod(target.name, question, randomSuffix(context.random));
      return startPod(
        context,
        pod,
        values,
        `Creating debugging pod ${String(podName(pod))} with container debugger on node ${target.name}.`,
      );
    }
    if (target.info.kind !== 'Pod') throw new CliError(`"${target.info.kind}" not supported by debug`);
    if (values['copy-to'] !== undefined)
      return startPod(context, copyOf(target.object, values['copy-to'], question), values, '');
    return addContainer(context, target, debugContainer(question), values);
  },
});

const podName = (pod: JsonObject): string => (pod as unknown as Pod).metadata.name ?? '';

async function startPod(context: CommandContext, pod: JsonObject, values: DebugFlags, note: string): Promise<number> {
  const silent: CommandContext = { ...context, out: () => undefined };
  const print = {
    output: undefined,
    template: undefined,
    'allow-missing-template-keys': true,
    'show-managed-fields': false,
  };
  await createGenerated(silent, pod, {
    flags: { ...print, 'dry-run': 'none', 'save-config': false },
    fieldManager: 'kubectl-debug',
    isPlain: true,
  });
  if (note !== '' && !values.quiet) context.err(`${note}\n`);
  const containers = (pod as unknown as Pod).spec?.containers ?? [];
  return attachIfWanted(context, podName(pod), containers.at(-1)?.name ?? '', values);
}

async function addContainer(
  context: CommandContext,
  target: LoadedTarget,
  container: JsonObject,
  values: DebugFlags,
): Promise<number> {
  const name = String(container['name']);
  if (values.target === undefined && !values.quiet) {
    context.err(
      '--target is not set: the processes of other containers are out of sight unless the pod shares them.\n',
    );
  } else if (values.target !== undefined && !values.quiet) {
    context.err(
      `Targeting container ${JSON.stringify(values.target)}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n`,
    );
  }
  if (values.container === undefined && !values.quiet) context.err(`Defaulting debug container name to ${name}.\n`);
  const body = { spec: { ephemeralContainers: [container] } };
  await patchTarget(context, target, {
    type: 'strategic',
    body,
    subresource: 'ephemeralcontainers',
    fieldManager: 'kubectl-debug',
  });
  return attachIfWanted(context, target.name, name, values);
}

async function attachIfWanted(
  context: CommandContext,
  pod: string,
  container: string,
  values: DebugFlags,
): Promise<number> {
  if (!values.attach && !values.stdin) return 0;
  const target = { info: builtInOf({ apiVersion: 'v1', kind: 'Pod' }), namespace: context.namespace(), name: pod };
  const isOver = await untilObject(context, target, (object) => {
    if (object === undefined) throw new CliError(`pods "${pod}" not found`);
    const { status } = object as unknown as Pod;
    const all = [...(status?.containerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])];
    const state = all.find(({ name }) => name === container)?.state;
    if (state?.terminated !== undefined) return true;
    return state?.running !== undefined ? false : undefined;
  });
  const streams = streamsOf(context, values);
  announceAttach(context, streams, values.quiet);
  const request = { path: podPath(context, pod, 'attach'), container };
  if (isOver || (await joinOrRead(context, request, streams)) === 'ended early')
    await printLog(context, pod, container);
  return 0;
}
