import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, UsageError } from '../../failures.ts';
import {
  arrayFlag,
  booleanFlag,
  durationFlag,
  type FlagValues,
  integerFlag,
  textFlag,
  textFlagWith,
} from '../../flags.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { dryRunOf } from '../../manifests/dry-run.ts';
import { builtInOf, createGenerated, generateFlags } from '../../manifests/generate.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { podRunningTimeoutFlag } from '../../remote/flags.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { overridden } from '../expose/expose.ts';
import { attachToNewPod } from './attach.ts';
import { podOf, serviceOf } from './pod.ts';

const { validate: _, ...commonFlags } = generateFlags;

const flags = {
  ...fileFlags,
  ...commonFlags,
  annotations: arrayFlag('Annotations to apply to the pod.'),
  attach: booleanFlag(
    "If true, wait for the Pod to start running, and then attach to the Pod as if 'kubectl attach ...' were called.",
  ),
  cascade: textFlagWith('background', 'Must be "background", "orphan", or "foreground".'),
  command: booleanFlag(
    "If true and extra arguments are present, use them as the 'command' field in the container, rather than the 'args' field which is the default.",
  ),
  'detach-keys': textFlagWith('ctrl-p,ctrl-q', 'Override the key sequence for detaching.'),
  env: arrayFlag('Environment variables to set in the container.'),
  expose: booleanFlag('If true, create a ClusterIP service associated with the pod. Requires `--port`.'),
  'field-manager': textFlagWith('kubectl-run', 'Name of the manager used to track field ownership.'),
  force: booleanFlag('If true, immediately remove resources from API and bypass graceful deletion.'),
  'grace-period': integerFlag(-1, 'Period of time in seconds given to the resource to terminate gracefully.'),
  image: textFlag('The image for the container to run.'),
  'image-pull-policy': textFlag(
    'The image pull policy for the container. If left empty, this value will not be specified by the client and defaulted by the server.',
  ),
  labels: textFlag('Comma separated labels to apply to the pod. Will override previous values.', { short: 'l' }),
  'leave-stdin-open': booleanFlag(
    'If the pod is started in interactive mode or with stdin, leave stdin open after the first attach completes.',
  ),
  'override-type': textFlagWith(
    'merge',
    'The method used to override the generated object: json, merge, or strategic.',
  ),
  overrides: textFlag('An inline JSON override for the generated object.'),
  'pod-running-timeout': podRunningTimeoutFlag(60_000),
  port: textFlag('The port that this container exposes.'),
  privileged: booleanFlag('If true, run the container in privileged mode.'),
  quiet: booleanFlag('If true, suppress prompt messages.', { short: 'q' }),
  restart: textFlagWith('Always', 'The restart policy for this Pod. Legal values [Always, OnFailure, Never].'),
  rm: booleanFlag('If true, delete the pod after it exits. Only valid when attaching to the container.'),
  stdin: booleanFlag('Keep stdin open on the container in the pod, even if nothing is attached.', { short: 'i' }),
  timeout: durationFlag(0, 'The length of time to wait before giving up on a delete.'),
  tty: booleanFlag('Allocate a TTY for the container in the pod.', { short: 't' }),
  wait: booleanFlag('If true, wait for resources to be gone before returning.'),
} as const;

type RunFlags = FlagValues<typeof flags>;

export const run = defineVerb({
  name: 'run',
  summary: 'Run a particular image on the cluster',
  usage:
    'NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
  examples: `
# A pod of one image
kubectl run web --image=nginx --port=80

# A shell that leaves nothing behind
kubectl run -it --rm shell --image=busybox --restart=Never -- sh`,
  flags,
  run: runPod,
});

async function runPod(context: CommandContext, values: RunFlags, args: readonly string[]): Promise<number> {
  if (!context.changed.has('image')) throw new CliError('required flag(s) "image" not set');
  const [name, ...words] = args;
  const { argsBeforeDash } = context;
  if (name === undefined || argsBeforeDash === 0) throw new UsageError('NAME is required for run');
  if (argsBeforeDash !== undefined && argsBeforeDash > 1)
    throw new UsageError(`exactly one NAME is required, got ${argsBeforeDash}`);
  const isAttached = values.attach || (!context.changed.has('attach') && (values.stdin || values.tty));
  check(context, values, isAttached);
  const pod = podOf({ name, words, flags: values });
  if (values.expose) await expose(context, name, values);
  const changed = values.overrides === undefined ? pod : overridden(pod, values.overrides);
  const fieldManager = values['field-manager'];
  if (!isAttached) {
    await createGenerated(context, changed, { flags: values, fieldManager, isPlain: true });
    return 0;
  }
  const quietContext: CommandContext = { ...context, out: () => undefined };
  const created = await createGenerated(quietContext, changed, { flags: values, fieldManager, isPlain: true });
  try {
    return await attachToNewPod(context, metadataOf(created).name ?? name, values);
  } finally {
    if (values.rm) await remove(context, created, values);
  }
}

function check(context: CommandContext, flags: RunFlags, isAttached: boolean): void {
  const dryRun = dryRunOf(context, flags);
  if (flags.image === undefined) throw new CliError('required flag(s) "image" not set');
  if (flags.image === '' || /\s|[A-Z].*\/.*\/$/.test(flags.image))
    throw new CliError(`Invalid image name ${JSON.stringify(flags.image)}: invalid reference format`);
  if (flags.tty && !flags.stdin) throw new CliError('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.expose && flags.port === undefined) throw new UsageError('--port must be set when exposing a service');
  if (flags.rm && !isAttached) throw new UsageError('--rm should only be used for attached containers');
  if (isAttached && dryRun !== 'none') {
    throw new UsageError(
      "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
    );
  }
}

async function expose(context: CommandContext, name: string, flags: RunFlags): Promise<void> {
  const service = serviceOf(name, flags.port ?? '', flags.labels);
  await createGenerated(context, service, { flags, fieldManager: flags['field-manager'], isPlain: true });
  if (flags.output === 'yaml') context.out('---\n---\n');
}

async function remove(context: CommandContext, pod: JsonObject, flags: RunFlags): Promise<void> {
  const { name = '', namespace = context.namespace() } = metadataOf(pod);
  const info = builtInOf({ apiVersion: 'v1', kind: 'Pod' });
  const gracePeriodSeconds = flags.force && flags['grace-period'] < 0 ? 0 : flags['grace-period'];
  await deleteTarget(context, { info, namespace, name }, { cascade: flags.cascade, gracePeriodSeconds });
  if (!flags.quiet) context.out(`pod "${name}" deleted from ${namespace} namespace\n`);
}
