import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, ExitError } from '../../failures.ts';
import { builtInOf } from '../../manifests/generate.ts';
import { untilObject, WaitTimeout } from '../../manifests/watch.ts';
import { announceAttach, streamsOf } from '../../remote/attach.ts';
import { chooseContainer, podPath } from '../../remote/pods.ts';
import { driveSession, openSession } from '../../remote/session.ts';

export interface AttachOptions {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly quiet: boolean;
  readonly restart: string;
  readonly 'pod-running-timeout': number;
}

/** Waits for the pod, joins it, and resolves with 0; a command that fails ends the program with its code. */
export async function attachToNewPod(context: CommandContext, name: string, options: AttachOptions): Promise<number> {
  const { quiet, restart } = options;
  const target = { info: builtInOf({ apiVersion: 'v1', kind: 'Pod' }), namespace: context.namespace(), name };
  const until = <Answer>(done: (pod: Pod) => Answer | undefined, timeoutMs?: number): Promise<Answer> =>
    untilObject(
      context,
      target,
      (object) => {
        if (object === undefined) throw new CliError(`pods "${name}" not found`);
        return done(object as unknown as Pod);
      },
      { timeoutMs },
    );
  let pod: Pod;
  try {
    pod = await until((each) => (hasStarted(each) ? each : undefined), options['pod-running-timeout']);
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new CliError('timed out waiting for the condition');
  }
  const container = chooseContainer(context, pod, undefined, { quiet });
  const streams = streamsOf(context, { stdin: options.stdin, tty: options.tty, quiet });
  if (isOver(pod)) await printLog(context, name, container.name);
  else {
    announceAttach(context, streams, quiet);
    const request = { path: podPath(context, name, 'attach'), container: container.name };
    const withStderr = { ...streams, stderr: streams.stderr && container.tty !== true };
    const exit = await joinOrRead(context, request, withStderr);
    if (exit === 'ended early') await printLog(context, name, container.name);
  }
  // Only a pod that is not started again has an end to report.
  if (restart === 'Always' || (restart === 'OnFailure' && !options.stdin)) return 0;
  const code = await until((each) => exitCode(each, container.name));
  if (code === 0) return 0;
  throw new ExitError(code, `pod ${context.namespace()}/${name} terminated (Error)`);
}

type Streams = Parameters<typeof driveSession>[2];

/** Joins a container; where it is over already, says so: what it said is read instead. */
export async function joinOrRead(
  context: CommandContext,
  request: { readonly path: string; readonly container: string },
  streams: Streams,
): Promise<'attached' | 'ended early'> {
  try {
    await driveSession(context, await openSession(context, { ...request, streams }), streams);
    return 'attached';
  } catch (error) {
    context.signal.throwIfAborted();
    context.err(
      `warning: couldn't attach to pod/${request.path.split('/').at(-2)}, falling back to streaming logs: ${(error as Error).message}\n`,
    );
    return 'ended early';
  }
}

export async function printLog(context: CommandContext, name: string, container: string): Promise<void> {
  const { body } = await context.stream({
    path: podPath(context, name, 'log'),
    query: { container, follow: true },
    accept: '*/*',
  });
  for await (const chunk of body) context.io.stdout.write(chunk);
}

const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
const hasStarted = (pod: Pod): boolean => pod.status?.phase === 'Running' || isOver(pod);

function exitCode({ status }: Pod, container: string): number | undefined {
  const state = status?.containerStatuses?.find(({ name }) => name === container)?.state;
  if (state?.terminated !== undefined) return state.terminated.exitCode;
  return status?.phase === 'Succeeded' ? 0 : status?.phase === 'Failed' ? 1 : undefined;
}
