import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, integerFlag, textFlag } from '../../flags.ts';
import { chooseContainer, podPath, requireLiving, resolvePod } from '../../remote/pods.ts';
import { openSession } from '../../remote/session.ts';
import { defineVerb } from '../../verb.ts';
import { packFiles, unpackFiles } from './archive.ts';

export const cp = defineVerb({
  name: 'cp',
  summary: 'Copy files and directories to and from containers',
  about: 'Copies through a tar inside the container, which must have one.',
  usage: '<file-spec-src> <file-spec-dest>',
  examples: `
# A folder into a pod
kubectl cp ./site web-0:/var/www

# A file out of a container of a pod in another namespace
kubectl cp games/web-0:/var/log/web.log ./web.log -c web`,
  flags: {
    container: textFlag(
      'Container name. If omitted, use the kubectl.kubernetes.io/default-container annotation for selecting the container to be attached or the first container in the pod will be chosen',
      { short: 'c' },
    ),
    'no-preserve': booleanFlag(
      "The copied file/directory's ownership and permissions will not be preserved in the container",
    ),
    retries: integerFlag(
      0,
      'Set number of retries to complete a copy operation from a container. Specify 0 to disable or any negative value for infinite retrying.',
    ),
  },
  async run(context, flags, args) {
    const [from, to] = args;
    if (from === undefined || to === undefined || args.length !== 2)
      throw new CliError('source and destination are required');
    const [source, target] = [placeOf(from), placeOf(to)];
    if (source.pod !== undefined && target.pod !== undefined)
      throw new CliError('one of src or dest must be a local file specification');
    if (source.path === '' || target.path === '') throw new CliError('filepath can not be empty');
    if (target.pod !== undefined) {
      if (lstatSync(source.path, { throwIfNoEntry: false }) === undefined) {
        throw new CliError(`${source.path} doesn't exist in local filesystem`);
      }
      await copyIn(context, source.path, { ...target, pod: target.pod }, flags);
      return 0;
    }
    if (source.pod !== undefined) {
      await copyOut(context, { ...source, pod: source.pod }, target.path, flags);
      return 0;
    }
    throw new CliError('one of src or dest must be a remote file specification');
  },
});

interface Place {
  readonly namespace: string | undefined;
  /** Undefined on this machine. */
  readonly pod: string | undefined;
  readonly path: string;
}

type RemotePlace = Place & { readonly pod: string };

interface CopyFlags {
  readonly container: string | undefined;
  readonly 'no-preserve': boolean;
}

/** `[NAMESPACE/]POD:PATH`, or a path here. */
function placeOf(text: string): Place {
  const colon = text.indexOf(':');
  if (colon <= 0 || /^[./]/.test(text)) return { namespace: undefined, pod: undefined, path: text };
  const pieces = text.slice(0, colon).split('/');
  const path = text.slice(colon + 1);
  if (pieces.length > 2) throw new CliError('filespec must match the canonical format: [[namespace/]pod:]file/path');
  const [first = '', second] = pieces;
  return second === undefined ? { namespace: undefined, pod: first, path } : { namespace: first, pod: second, path };
}

async function open(
  context: CommandContext,
  { namespace, pod: name }: RemotePlace,
  flags: CopyFlags,
  { command, stdin = false }: { readonly command: readonly string[]; readonly stdin?: boolean },
) {
  const inNamespace = namespace === undefined ? context : { ...context, namespace: () => namespace };
  const { pod } = await resolvePod(inNamespace, name, 0);
  requireLiving(pod, 'exec into');
  const container = chooseContainer(context, pod, flags.container);
  return openSession(inNamespace, {
    path: podPath(inNamespace, pod.metadata.name ?? name, 'exec'),
    container: container.name,
    command,
    streams: { stdin, stdout: true, stderr: true, tty: false },
  });
}

type Session = Awaited<ReturnType<typeof open>>;

async function copyIn(context: CommandContext, path: string, to: RemotePlace, flags: CopyFlags): Promise<void> {
  // A folder at the other end takes the source in; anything else is its new name.
  const isFolder = await succeeds(await open(quiet(context), to, flags, { command: ['test', '-d', to.path] }));
  const target = isFolder ? `${to.path.replace(/\/$/, '')}/${basename(path)}` : to.path.replace(/\/$/, '');
  const slash = target.lastIndexOf('/');
  const folder = slash <= 0 ? (slash === 0 ? '/' : '.') : target.slice(0, slash);
  const options = flags['no-preserve'] ? ['--no-same-permissions', '--no-same-owner'] : [];
  const command = ['tar', ...options, '-xmf', '-', '-C', folder];
  const session = await open(context, to, flags, { command, stdin: true });
  const send = async (): Promise<void> => {
    for await (const chunk of packFiles(path, target.slice(slash + 1))) await session.stdin?.write(chunk);
    await session.stdin?.end();
  };
  await Promise.all([send(), tell(context, session), drain(session.stdout)]);
  await requireSuccess(session);
}

async function copyOut(context: CommandContext, from: RemotePlace, path: string, flags: CopyFlags): Promise<void> {
  const session = await open(context, from, flags, { command: ['tar', 'cf', '-', from.path] });
  const warn = (text: string): void => context.err(`${text}\n`);
  const receive = session.stdout === undefined ? undefined : unpackFiles(session.stdout, from.path, path, warn);
  await Promise.all([receive, tell(context, session)]);
  await requireSuccess(session);
}

const quiet = (context: CommandContext): CommandContext => ({ ...context, err: () => undefined });

async function succeeds(session: Session): Promise<boolean> {
  await Promise.all([drain(session.stdout), drain(session.stderr)]);
  const exit = await session.exit;
  return exit.outcome === 'exited' && exit.code === 0;
}

async function drain(stream: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  if (stream !== undefined) for await (const _ of stream);
}

async function tell({ io }: CommandContext, { stderr }: Session): Promise<void> {
  if (stderr !== undefined) for await (const chunk of stderr) io.stderr.write(chunk);
}

async function requireSuccess(session: Session): Promise<void> {
  const exit = await session.exit;
  if (exit.outcome === 'failed') throw new CliError(exit.message);
  if (exit.code !== 0) throw new CliError(`command terminated with exit code ${exit.code}`);
}
