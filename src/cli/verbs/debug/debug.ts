import { readFileSync } from 'node:fs';
import { randomSuffix } from '#base/random.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import { parseYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, listFlag, textFlag, textFlagWith } from '../../flags.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { builtInOf } from '../../manifests/generate.ts';
import { createObject, patchBetween, patchTarget } from '../../manifests/patches.ts';
import { type LoadedTarget, loadTargets, visitTargets } from '../../manifests/targets.ts';
import { untilObject } from '../../manifests/watch.ts';
import { announceAttach, streamsOf } from '../../remote/attach.ts';
import { podPath } from '../../remote/pods.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { joinOrRead, printLog } from '../run/attach.ts';
import { copyOf, type DebugQuestion, debugContainer, nodePod } from './pods.ts';
import { profileNamed } from './profiles.ts';

const flags = {
  'arguments-only': booleanFlag(
    'If specified, everything after -- will be passed to the new container as Args instead of Command.',
  ),
  attach: booleanFlag(
    "If true, wait for the container to start running, and then attach as if 'kubectl attach ...' were called.",
  ),
  container: textFlag('Container name to use for debug container.', { short: 'c' }),
  'copy-to': textFlag('Create a copy of the target Pod with this name.'),
  custom: textFlag(
    'Path to a JSON or YAML file containing a partial container spec to customize built-in debug profiles.',
  ),
  env: listFlag('Environment variables to set in the container.'),
  filename: fileFlags.filename,
  image: textFlag('Container image to use for debug container.'),
  'image-pull-policy': textFlag('The image pull policy for the container.'),
  'keep-annotations': booleanFlag('If true, keep the original pod annotations, with --copy-to.'),
  'keep-init-containers': booleanFlag('Run the init containers for the pod, with --copy-to.', { initial: true }),
  'keep-labels': booleanFlag('If true, keep the original pod labels, with --copy-to.'),
  'keep-liveness': booleanFlag('If true, keep the original pod liveness probes, with --copy-to.'),
  'keep-readiness': booleanFlag('If true, keep the original pod readiness probes, with --copy-to.'),
  'keep-startup': booleanFlag('If true, keep the original startup probes, with --copy-to.'),
  profile: textFlagWith(
    'general',
    'Options are "legacy", "general", "baseline", "netadmin", "restricted" or "sysadmin".',
  ),
  quiet: booleanFlag('If true, suppress informational messages.', { short: 'q' }),
  replace: booleanFlag("When used with '--copy-to', delete the original Pod."),
  'same-node': booleanFlag("When used with '--copy-to', schedule the copy of target Pod on the same node."),
  'set-image': listFlag("When used with '--copy-to', a list of name=image pairs for changing container images."),
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
    const atDash = context.argsBeforeDash ?? args.length;
    const [names, command] = [args.slice(0, atDash), args.slice(atDash)];
    profileNamed(values.profile);
    check(context, values, { names, command });
    const files = { filename: values.filename, recursive: false, kustomize: undefined };
    const selection = await loadTargets(context, { args: names, files, defaultType: 'pods' });
    const custom = values.custom === undefined ? undefined : readCustom(values.custom);
    await visitTargets(selection, (target) => debugOne(context, target, { command, flags: values, custom }));
    return 0;
  },
});

interface DebugArguments {
  readonly names: readonly string[];
  readonly command: readonly string[];
}

/** Throws CliError for flags that make no sense together. */
function check(context: CommandContext, values: DebugFlags, { names, command }: DebugArguments): void {
  const { image, container, 'copy-to': copyTo, 'set-image': images, target } = values;
  const refuse = (isWrong: boolean, why: string): void => {
    if (isWrong) throw new CliError(why);
  };
  const attaches = values.attach && context.changed.has('attach');
  refuse(
    attaches && image === undefined && container === undefined,
    'you must specify --container or create a new container using --image in order to attach.',
  );
  if (copyTo === undefined) {
    refuse(values.replace, '--replace may only be used with --copy-to.');
    refuse(values['same-node'], '--same-node may only be used with --copy-to.');
    refuse(images.length > 0, '--set-image may only be used with --copy-to.');
    refuse(image === undefined, 'you must specify --image when not using --copy-to.');
  } else {
    const isNothing = image === undefined && images.length === 0 && command.length === 0;
    refuse(isNothing, 'you must specify --image, --set-image or command arguments.');
    refuse(
      command.length > 0 && container === undefined && image === undefined,
      'you must specify an existing container or a new image when specifying args.',
    );
  }
  refuse(names.length === 0 && values.filename.length === 0, 'NAME or filename is required for debug');
  const policy = values['image-pull-policy'] ?? '';
  refuse(!['', 'Always', 'IfNotPresent', 'Never'].includes(policy), `invalid image pull policy: ${policy}`);
  refuse(
    target !== undefined && copyTo !== undefined,
    '--target is incompatible with --copy-to. Use --share-processes instead.',
  );
  if (target !== undefined && !values.quiet) {
    context.out(
      `Targeting container ${JSON.stringify(target)}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n`,
    );
  }
  refuse(values.tty && !values.stdin, '-i/--stdin is required for containers with -t/--tty=true');
  if (values.profile === 'legacy') {
    context.err(
      '--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example "--profile=general".\n',
    );
  }
}

function readCustom(path: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new CliError(
      `must pass a container spec json file for custom profile: open ${path}: no such file or directory`,
    );
  }
  try {
    const value = parseYaml(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw new Error('it is no object');
  } catch (error) {
    throw new CliError(`${path} does not contain a valid container spec: ${(error as Error).message}`);
  }
}

type Question = Omit<DebugQuestion, 'name'>;

async function debugOne(context: CommandContext, target: LoadedTarget, question: Question): Promise<void> {
  const { flags: values } = question;
  const { info, object } = target;
  if (info.kind === 'Node' && info.group === '') {
    const name = values.container ?? 'debugger';
    const pod = nodePod(target.name, { ...question, name }, randomSuffix(context.random));
    if (!values.quiet) {
      context.out(`Creating debugging pod ${pod.metadata.name} with container ${name} on node ${target.name}.\n`);
    }
    await createPod(context, pod);
    return attachIfWanted(context, pod.metadata.name ?? '', name, values);
  }
  if (info.kind !== 'Pod' || info.group !== '') {
    throw new CliError(`"${apiVersionOf(info)}, Kind=${info.kind}" not supported by debug`);
  }
  const pod = object as unknown as Pod;
  if (values['copy-to'] === undefined) return addContainer(context, target, pod, question);
  const shares = context.changed.has('share-processes') ? values['share-processes'] : undefined;
  const named = { ...question, name: nameFor(context, pod, values) };
  const { pod: copy, container } = copyOf(pod, values['copy-to'], named, shares);
  await createPod(context, copy);
  if (values.replace) await deleteTarget(context, target, { gracePeriodSeconds: 0 });
  if (container !== undefined) await attachIfWanted(context, values['copy-to'], container, values);
}

/** The name that was asked for, or one that no container of the pod has. */
function nameFor(context: CommandContext, pod: Pod, values: DebugFlags): string {
  if (values.container !== undefined) return values.container;
  if (values['copy-to'] !== undefined && values.image === undefined) return '';
  const { containers = [], ephemeralContainers = [], initContainers = [] } = pod.spec ?? {};
  const taken = new Set([...containers, ...ephemeralContainers, ...initContainers].map(({ name }) => name));
  let name = `debugger-${randomSuffix(context.random)}`;
  while (taken.has(name)) name = `debugger-${randomSuffix(context.random)}`;
  if (!values.quiet) context.out(`Defaulting debug container name to ${name}.\n`);
  return name;
}

async function createPod(context: CommandContext, pod: Pod): Promise<void> {
  const namespace = pod.metadata.namespace ?? context.namespace();
  const object = { ...pod, metadata: { ...pod.metadata, namespace } } as unknown as JsonObject;
  await createObject(context, { info: builtInOf(object), namespace, object }, { fieldManager: 'kubectl-debug' });
}

async function addContainer(
  context: CommandContext,
  target: LoadedTarget,
  pod: Pod,
  question: Question,
): Promise<void> {
  const name = nameFor(context, pod, question.flags);
  const container = debugContainer(pod, { ...question, name });
  const all = [...(pod.spec?.ephemeralContainers ?? []), container];
  const after = { ...pod, spec: { ...pod.spec, ephemeralContainers: all } } as unknown as JsonObject;
  const patch = patchBetween(target.info, target.object, after);
  if (patch === undefined) throw new CliError(`nothing to add to pod ${target.name}`);
  await patchTarget(context, target, {
    ...patch,
    subresource: 'ephemeralcontainers',
    fieldManager: 'kubectl-debug',
  });
  await attachIfWanted(context, target.name, name, question.flags);
}

async function attachIfWanted(
  context: CommandContext,
  pod: string,
  container: string,
  values: DebugFlags,
): Promise<void> {
  const attaches = context.changed.has('attach') ? values.attach : values.stdin;
  if (!attaches) return;
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
}
