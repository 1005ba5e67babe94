import { createServer, type Server, type Socket } from 'node:net';
import { aborted } from '#base/tasks.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { ByteStream } from '#machinery/node-api.ts';
import { forwardPortsOverWebSocket, type PortForwardSession } from '#streaming/port-forward/client.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, UsageError } from '../../failures.ts';
import { listFlag } from '../../flags.ts';
import { podRunningTimeoutFlag } from '../../remote/flags.ts';
import { podPath, resolvePod } from '../../remote/pods.ts';
import { upgradeTarget } from '../../remote/session.ts';
import { defineVerb } from '../../verb.ts';
import { type ForwardedPort, portsOf } from './ports.ts';

export const portForward = defineVerb({
  name: 'port-forward',
  summary: 'Forward one or more local ports to a pod',
  usage: 'TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]',
  examples: `
# Local ports 5000 and 6000 to the same ports of a pod
kubectl port-forward pod/web-0 5000 6000

# Local port 8080 to where the service's port 80 leads
kubectl port-forward service/web 8080:80`,
  flags: {
    address: listFlag('Addresses to listen on (comma separated). Only accepts IP addresses or localhost as a value.'),
    'pod-running-timeout': podRunningTimeoutFlag(60_000),
  },
  async run(context, flags, args) {
    const [named, ...texts] = args;
    if (named === undefined || texts.length === 0) {
      throw new UsageError('TYPE/NAME and list of ports are required for port-forward');
    }
    const { pod, owner } = await resolvePod(context, named, flags['pod-running-timeout']);
    const ports = portsOf(texts, pod, owner);
    const phase = pod.status?.phase ?? 'Unknown';
    if (phase !== 'Running') {
      throw new CliError(`unable to forward port because pod is not running. Current status=${phase}`);
    }
    const addresses = flags.address.length === 0 ? ['localhost'] : flags.address;
    await forward(context, pod, ports, addresses);
    return 0;
  },
});

async function forward(
  context: CommandContext,
  pod: Pod,
  ports: readonly ForwardedPort[],
  addresses: readonly string[],
): Promise<void> {
  const target = await upgradeTarget(
    context,
    podPath(context, pod.metadata.name ?? '', 'portforward'),
    new URLSearchParams(),
  );
  const session = await forwardPortsOverWebSocket(target, context.random);
  const servers: Server[] = [];
  try {
    for (const port of ports) servers.push(...(await listenOn(context, session, port, addresses)));
    await Promise.race([session.closed, aborted(context.signal)]);
    if (!context.signal.aborted) throw new CliError('lost connection to pod');
  } finally {
    for (const server of servers) server.close();
    session.close();
  }
}

/** Listens on all addresses; `localhost` is content with one of its two. */
async function listenOn(
  context: CommandContext,
  session: PortForwardSession,
  port: ForwardedPort,
  addresses: readonly string[],
): Promise<Server[]> {
  const servers: Server[] = [];
  const failures: string[] = [];
  let local = port.local;
  for (const address of addresses) {
    for (const host of address === 'localhost' ? ['127.0.0.1', '::1'] : [address]) {
      try {
        const server = await listen(host, local, (socket) => handle(context, session, socket, { ...port, local }));
        local = (server.address() as { readonly port: number }).port;
        context.out(`Forwarding from ${host.includes(':') ? `[${host}]` : host}:${local} -> ${port.remote}\n`);
        servers.push(server);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  }
  if (servers.length > 0) return servers;
  throw new CliError(`unable to listen on any of the requested ports: [{${port.local} ${port.remote}}]`);
}

function listen(host: string, port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, onSocket);
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function handle(context: CommandContext, session: PortForwardSession, socket: Socket, port: ForwardedPort): void {
  context.out(`Handling connection for ${port.local}\n`);
  socket.on('error', () => undefined);
  carry(session, socket, port).catch((error: unknown) => {
    socket.destroy();
    context.err(`error: an error occurred forwarding ${port.local} -> ${port.remote}: ${(error as Error).message}\n`);
  });
}

async function carry(session: PortForwardSession, socket: Socket, { remote }: ForwardedPort): Promise<void> {
  const stream = await session.open(remote);
  socket.once('close', () => stream.destroy());
  await Promise.all([upstream(socket, stream), downstream(stream, socket)]);
}

async function upstream(socket: Socket, stream: ByteStream): Promise<void> {
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) await stream.write(chunk as Uint8Array);
    await stream.end();
  } catch {
    // The far side says why it went, on its own half.
  }
}

async function downstream(stream: ByteStream, socket: Socket): Promise<void> {
  for await (const chunk of stream.readable) {
    if (!socket.write(chunk))
      await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve));
    if (socket.destroyed) return;
  }
  socket.end();
}
