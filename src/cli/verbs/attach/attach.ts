import { CliError } from '../../failures.ts';
import { textFlagWith } from '../../flags.ts';
import { announceAttach, runSession, streamsOf } from '../../remote/attach.ts';
import { sessionFlags } from '../../remote/flags.ts';
import { chooseContainer, podPath, requireLiving, resolvePod } from '../../remote/pods.ts';
import { defineVerb } from '../../verb.ts';

export const attach = defineVerb({
  name: 'attach',
  summary: 'Attach to a running container',
  usage: '(POD | TYPE/NAME) -c CONTAINER',
  flags: {
    ...sessionFlags,
    'detach-keys': textFlagWith('ctrl-p,ctrl-q', 'Override the key sequence for detaching.'),
  },
  async run(context, flags, args) {
    const [named] = args;
    if (named === undefined) throw new CliError('at least 1 argument is required for attach');
    if (args.length > 2)
      throw new CliError(
        `expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`,
      );
    const arg = args.length === 2 ? `${named}/${args[1]}` : named;
    const { pod } = await resolvePod(context, arg, flags['pod-running-timeout']);
    requireLiving(pod, 'attach');
    const container = chooseContainer(context, pod, flags.container, flags);
    const lacksTty = flags.tty && container.tty !== true;
    if (lacksTty) context.err(`error: Unable to use a TTY - container ${container.name} did not allocate one\n`);
    // A container with a terminal sends all output as one stream, whoever attaches.
    const streams = streamsOf(context, { ...flags, tty: flags.tty && !lacksTty });
    announceAttach(context, streams, flags.quiet);
    return runSession(context, {
      path: podPath(context, pod.metadata.name ?? '', 'attach'),
      container: container.name,
      streams: { ...streams, stderr: streams.stderr && container.tty !== true },
    });
  },
});
