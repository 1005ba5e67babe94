import { forEachLimited } from '#base/tasks.ts';
import { lines } from '#client/http/client.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { parseTime } from '#machinery/time.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, UsageError } from '../../failures.ts';
import { booleanFlag, durationFlag, type FlagValues, integerFlag, textFlag } from '../../flags.ts';
import { loadOne } from '../../manifests/targets.ts';
import { podRunningTimeoutFlag } from '../../remote/flags.ts';
import { allContainers, chooseContainer, podPath, podsOf, selectorOfObject } from '../../remote/pods.ts';
import { defineVerb } from '../../verb.ts';

const flags = {
  'all-containers': booleanFlag("Get all containers' logs in the pod(s)."),
  'all-pods': booleanFlag('Get logs from all pod(s). Sets prefix to true.'),
  container: textFlag('Print the logs of this container', { short: 'c' }),
  follow: booleanFlag('Specify if the logs should be streamed.', { short: 'f' }),
  'ignore-errors': booleanFlag('If watching / following pod logs, allow for any errors that occur to be non-fatal'),
  'insecure-skip-tls-verify-backend': booleanFlag(
    'Skip verifying the identity of the kubelet that logs are requested from.',
  ),
  'limit-bytes': integerFlag(0, 'Maximum bytes of logs to return. Defaults to no limit.'),
  'max-log-requests': integerFlag(
    5,
    'Specify maximum number of concurrent logs to follow when using by a selector. Defaults to 5.',
  ),
  'pod-running-timeout': podRunningTimeoutFlag(20_000),
  prefix: booleanFlag('Prefix each log line with the log source (pod name and container name)'),
  previous: booleanFlag('If true, print the logs for the previous instance of the container in a pod if it exists.', {
    short: 'p',
  }),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  since: durationFlag(
    0,
    'Only return logs newer than a relative duration like 5s, 2m, or 3h. Defaults to all logs. Only one of since-time / since may be used.',
  ),
  'since-time': textFlag(
    'Only return logs after a specific date (RFC3339). Defaults to all logs. Only one of since-time / since may be used.',
  ),
  tail: integerFlag(
    -1,
    'Lines of recent log file to display. Defaults to -1 with no selector, showing all log lines otherwise 10, if a selector is provided.',
  ),
  timestamps: booleanFlag('Include timestamps on each line in the log output'),
} as const;

type LogFlags = FlagValues<typeof flags>;

const usage = 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]';
/** Lines of each log, where a selector may find many. */
const selectorTail = 10;

export const logs = defineVerb({
  name: 'logs',
  summary: 'Print the logs for a container in a pod',
  usage: '[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]',
  examples: `
# The log of a pod with one container
kubectl logs web-0

# Follow all containers of a deployment's pods
kubectl logs -f deploy/web --all-pods --all-containers

# What the container said before it was started again
kubectl logs web-0 -p`,
  flags,
  run: runLogs,
});

async function runLogs(context: CommandContext, values: LogFlags, args: readonly string[]): Promise<number> {
  const selector = values.selector ?? '';
  if (
    args.length > 2 ||
    (args.length === 0 && selector === '') ||
    (args.length === 2 && values.container !== undefined)
  ) {
    throw new UsageError(`expected '${usage}'.\nPOD or TYPE/NAME is a required argument for the logs command`);
  }
  if (args.length > 0 && selector !== '') throw new UsageError('only a selector (-l) or a POD name is allowed');
  if (values.since !== 0 && values['since-time'] !== undefined) {
    throw new CliError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  const query = queryOf(context, values, selector !== '');
  const sources = await sourcesOf(context, values, args);
  if (values.follow && sources.length > values['max-log-requests']) {
    throw new CliError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${values['max-log-requests']}, use --max-log-requests to increase the limit`,
    );
  }
  const hasPrefix = values.prefix || values['all-pods'];
  const show = async (source: LogSource): Promise<void> => {
    try {
      await printLog(context, source, query, hasPrefix);
    } catch (error) {
      if (!values['ignore-errors'] || !(error instanceof ApiError)) throw error;
      context.err(`error: ${error.message}\n`);
    }
  };
  // One after the other, unless each goes on for ever.
  await forEachLimited(sources, values.follow ? sources.length : 1, show);
  return 0;
}

interface LogSource {
  readonly pod: string;
  readonly container: string;
}

type LogQuery = Readonly<Record<string, string | number | boolean | undefined>>;

function queryOf(context: CommandContext, flags: LogFlags, isSelected: boolean): LogQuery {
  const { since, tail } = flags;
  const time = flags['since-time'];
  if (time !== undefined && Number.isNaN(parseTime(time))) {
    throw new CliError(`parsing time ${JSON.stringify(time)} as "2006-01-02T15:04:05Z07:00": cannot parse`);
  }
  if (tail < -1) throw new CliError('--tail must be greater than or equal to -1');
  const tailLines = context.changed.has('tail') ? tail : isSelected ? selectorTail : -1;
  return {
    follow: flags.follow,
    previous: flags.previous,
    timestamps: flags.timestamps,
    sinceSeconds: since === 0 ? undefined : Math.ceil(since / 1000),
    sinceTime: time,
    tailLines: tailLines === -1 ? undefined : tailLines,
    limitBytes: flags['limit-bytes'] === 0 ? undefined : flags['limit-bytes'],
    insecureSkipTLSVerifyBackend: flags['insecure-skip-tls-verify-backend'],
  };
}

async function sourcesOf(context: CommandContext, flags: LogFlags, args: readonly string[]): Promise<LogSource[]> {
  const [named, container] = args;
  const pods =
    named === undefined ? await podsOf(context, flags.selector ?? '') : await podsNamed(context, named, flags);
  if (pods.length === 0) {
    context.err(`No resources found in ${context.namespace()} namespace.\n`);
    return [];
  }
  return pods.flatMap((pod) => {
    const name = pod.metadata.name ?? '';
    if (flags['all-containers']) return allContainers(pod).map((each) => ({ pod: name, container: each.name }));
    return [{ pod: name, container: chooseContainer(context, pod, container ?? flags.container).name }];
  });
}

async function podsNamed(context: CommandContext, arg: string, flags: LogFlags): Promise<readonly Pod[]> {
  const target = await loadLogged(context, arg);
  if (target.info.kind === 'Pod') return [target.object as unknown as Pod];
  const pods = await podsOf(context, selectorOfObject(target));
  if (pods.length === 0) throw new CliError('timed out waiting for the condition');
  if (flags['all-pods']) return pods;
  const [first] = pods;
  if (pods.length > 1) context.err(`Found ${pods.length} pods, using pod/${first?.metadata.name}\n`);
  return first === undefined ? [] : [first];
}

async function loadLogged(context: CommandContext, arg: string) {
  try {
    return await loadOne(context, { args: [arg], defaultType: 'pods' });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { reason, message } = error;
    throw new CliError(`error from server (${reason}): ${message} in namespace "${context.namespace()}"`);
  }
}

async function printLog(
  context: CommandContext,
  source: LogSource,
  query: LogQuery,
  hasPrefix: boolean,
): Promise<void> {
  const path = podPath(context, source.pod, 'log');
  const { body } = await context.stream({ path, query: { ...query, container: source.container }, accept: '*/*' });
  const { stdout } = context.io;
  const write = async (chunk: Uint8Array | string): Promise<void> => {
    if (!stdout.write(chunk)) await new Promise<void>((resolve) => stdout.once('drain', resolve));
  };
  if (!hasPrefix) {
    for await (const chunk of body) await write(chunk as Uint8Array);
    return;
  }
  const prefix = `[pod/${source.pod}/${source.container}] `;
  for await (const line of lines(body)) await write(`${prefix}${Buffer.from(line).toString('utf8')}\n`);
}
