import { CliError, UsageError } from '../../failures.ts';
import { hasFiles, manifestTargets } from '../../manifests/targets.ts';
import { runSession, streamsOf } from '../../remote/attach.ts';
import { sessionFlags } from '../../remote/flags.ts';
import { chooseContainer, podPath, requireLiving, resolvePod } from '../../remote/pods.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

export const exec = defineVerb({
  name: 'exec',
  summary: 'Execute a command in a container',
  usage: '(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]',
  examples: `
# The date in the first container of a pod
kubectl exec web-0 -- date

# A shell in a container
kubectl exec web-0 -c web -it -- sh

# In a pod of a deployment
kubectl exec deploy/web -- ls /`,
  flags: {
    ...fileFlags,
    ...sessionFlags,
  },
  async run(context, flags, args) {
    const { argsBeforeDash } = context;
    const fromFile = hasFiles(flags);
    if (args.length === 0 && !fromFile) throw new CliError('pod, type/name or --filename must be specified');
    if (argsBeforeDash === undefined && args.length > 1) {
      throw new UsageError('exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead');
    }
    const named = fromFile ? (await manifestTargets(context, flags)).targets[0]?.name : args[0];
    const command = fromFile ? args : args.slice(1);
    if (command.length === 0) throw new CliError('you must specify at least one command for the container');
    const { pod } = await resolvePod(context, named ?? '', flags['pod-running-timeout']);
    requireLiving(pod, 'exec into');
    const container = chooseContainer(context, pod, flags.container, flags);
    return runSession(context, {
      path: podPath(context, pod.metadata.name ?? '', 'exec'),
      container: container.name,
      command,
      streams: streamsOf(context, flags),
    });
  },
});
