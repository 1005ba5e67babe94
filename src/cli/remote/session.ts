import { tlsOptions } from '#client/http/exchange.ts';
import type { ProcessExit, RemoteProcess } from '#machinery/node-api.ts';
import type { UpgradeTarget } from '#streaming/http-upgrade.ts';
import type { CommandStreams } from '#streaming/remote-command/protocol.ts';
import { runCommandOverWebSocket } from '#streaming/remote-command/websocket-client.ts';
import type { CommandContext } from '../context.ts';

/** How to open a WebSocket to a path of the server, as the person who runs the command. */
export async function upgradeTarget(
  context: CommandContext,
  path: string,
  query: URLSearchParams,
  signal: AbortSignal = context.signal,
): Promise<UpgradeTarget> {
  const client = context.client();
  const { options } = client;
  const base = options.server.replace(/\/$/, '');
  const text = query.toString();
  return {
    url: new URL(`${base}${path}${text === '' ? '' : `?${text}`}`),
    headers: (await client.authHeaders()) as Readonly<Record<string, string>>,
    tls: tlsOptions(options) as NonNullable<UpgradeTarget['tls']>,
    signal,
  };
}

export interface SessionRequest {
  /** `…/pods/NAME/exec` or `…/attach`. */
  readonly path: string;
  readonly container: string;
  readonly command?: readonly string[];
  readonly streams: CommandStreams;
}

/** Starts or joins a command in a container. Throws ApiError. */
export async function openSession(
  context: CommandContext,
  { path, container, command = [], streams }: SessionRequest,
): Promise<RemoteProcess> {
  const query = new URLSearchParams();
  for (const word of command) query.append('command', word);
  query.set('container', container);
  for (const name of ['stdin', 'stdout', 'stderr', 'tty'] as const) {
    const isWanted = streams[name] && !(name === 'stderr' && streams.tty);
    if (isWanted) query.set(name, 'true');
  }
  return runCommandOverWebSocket(await upgradeTarget(context, path, query), streams, context.random);
}

/** Connects a session with the terminal, or with whatever stands in for it, until the command ends. */
export async function driveSession(
  context: CommandContext,
  session: RemoteProcess,
  { stdin, tty }: CommandStreams,
): Promise<ProcessExit> {
  const { io } = context;
  const isRaw = tty && stdin && io.stdin.isTTY === true && io.stdin.setRawMode !== undefined;
  const stopInput = stdin ? pumpInput(context, session) : undefined;
  const stopResizes = tty ? followSize(context, session) : undefined;
  if (isRaw) io.stdin.setRawMode?.(true);
  try {
    const [exit] = await Promise.all([
      session.exit,
      pumpOutput(session.stdout, io.stdout),
      pumpOutput(session.stderr, io.stderr),
    ]);
    return exit;
  } finally {
    if (isRaw) io.stdin.setRawMode?.(false);
    stopResizes?.();
    stopInput?.();
    session.destroy();
  }
}

/** Where output goes: its back-pressure holds up the far side. */
type Sink = CommandContext['io']['stdout' | 'stderr'];

async function pumpOutput(source: AsyncIterable<Uint8Array> | undefined, sink: Sink): Promise<void> {
  if (source === undefined) return;
  for await (const chunk of source) {
    if (!sink.write(chunk)) await new Promise<void>((resolve) => sink.once('drain', resolve));
  }
}

function pumpInput({ io }: CommandContext, { stdin }: RemoteProcess): () => void {
  if (stdin === undefined) return () => undefined;
  let stopped = false;
  const onData = (chunk: Uint8Array | string): void => {
    io.stdin.pause();
    stdin.write(Buffer.from(chunk as Uint8Array)).then(
      () => void (stopped || io.stdin.resume()),
      // The command is gone; its exit says so.
      () => undefined,
    );
  };
  const onEnd = (): void => void stdin.end().catch(() => undefined);
  io.stdin.on('data', onData);
  io.stdin.once('end', onEnd);
  io.stdin.resume();
  return () => {
    stopped = true;
    io.stdin.off('data', onData);
    io.stdin.off('end', onEnd);
    io.stdin.pause();
    // A pipe that nobody closes must not keep the program.
    if ('unref' in io.stdin && typeof io.stdin.unref === 'function') io.stdin.unref();
  };
}

function followSize({ io }: CommandContext, session: RemoteProcess): () => void {
  const send = (): void => {
    const { columns, rows } = io.stdout;
    if (columns === undefined || rows === undefined) return;
    session.resize({ width: columns, height: rows }).catch(() => undefined);
  };
  send();
  io.stdout.on('resize', send);
  return () => io.stdout.off('resize', send);
}
