import type { Clock } from '#base/clock.ts';
import { badRequest } from '#machinery/errors.ts';
import type { RemoteProcess } from '#machinery/node-api.ts';
import { negotiate, refuseUpgrade, type UpgradeRequest } from '../negotiate.ts';
import { channelSocket } from '../websocket/channels.ts';
import { WebSocketConnection } from '../websocket/connection.ts';
import { bridgeCommand, type CommandPeer } from './bridge.ts';
import { type CommandStreams, commandChannel, spdyCommandProtocols, webSocketCommandProtocols } from './protocol.ts';
import { spdyPeer } from './spdy-peer.ts';
import { webSocketPeer } from './websocket-peer.ts';

export interface RemoteCommandService extends UpgradeRequest {
  readonly streams: CommandStreams;
  /** Starts the command or attaches to it. What it throws is answered in place of the upgrade. */
  readonly start: (streams: CommandStreams) => Promise<RemoteProcess>;
  readonly clock: Clock;
}

/**
 * The streams that a query asks for (`stdin`, `stdout`, `stderr`, `tty`, as `true` or `1`).
 * Throws ApiError 400 when it asks for none.
 */
export function commandStreams(query: URLSearchParams): CommandStreams {
  const isSet = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const tty = isSet('tty');
  const streams = { stdin: isSet('stdin'), stdout: isSet('stdout'), stderr: isSet('stderr') && !tty, tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  return streams;
}

/**
 * Serves `exec` and `attach`: WebSocket channels v5, v4 and older, plain or base64, and SPDY/3.1 v4 and older.
 * Resolves when client and process are done with each other; never rejects.
 */
export async function serveRemoteCommand(service: RemoteCommandService): Promise<void> {
  const { socket } = service;
  socket.on('error', () => {});
  let process: RemoteProcess | undefined;
  try {
    const agreement = negotiate(service.request, { webSocket: webSocketCommandProtocols, spdy: spdyCommandProtocols });
    process = await service.start(service.streams);
    socket.write(agreement.answer);
    const peer =
      agreement.transport === 'spdy'
        ? await spdyPeer({ ...service, protocol: agreement.protocol })
        : await openWebSocketPeer(service, agreement.protocol);
    if (peer === undefined) process.destroy();
    else await bridgeCommand(peer, process, service.clock);
  } catch (error) {
    process?.destroy();
    refuseUpgrade(socket, error);
  }
}

async function openWebSocketPeer(service: RemoteCommandService, protocol: string): Promise<CommandPeer> {
  const connection = new WebSocketConnection(service.socket, { role: { side: 'server' }, head: service.head });
  const socket = channelSocket(connection, protocol);
  const { streams } = service;
  const lowest = streams.stdout ? 'stdout' : streams.stderr ? 'stderr' : 'error';
  // Clients take an empty message as the sign that the streams are connected.
  await socket.send(commandChannel[lowest], new Uint8Array(0)).catch(() => {});
  return webSocketPeer(socket, protocol, streams);
}
