import type { Random } from '#base/random.ts';
import type { ProcessExit, RemoteProcess } from '#machinery/node-api.ts';
import { ByteQueue } from '../byte-queue.ts';
import { requestUpgrade, type UpgradeTarget } from '../http-upgrade.ts';
import { type ChannelSocket, channelSocket } from '../websocket/channels.ts';
import { WebSocketConnection } from '../websocket/connection.ts';
import { webSocketRequestHeaders } from '../websocket/handshake.ts';
import {
  type CommandStreams,
  commandChannel,
  encodeResize,
  exitOfStatus,
  webSocketCommandProtocols,
} from './protocol.ts';

/** Output that waits for its reader before the server has to. */
const outputLimitBytes = 1024 * 1024;
/** Input goes out in messages of this size. */
const inputMessageBytes = 32 * 1024;

/**
 * Runs or attaches to a command through an API server (the URL of `exec` or `attach` with its query), over a
 * WebSocket with channels v5, or v4 where the server knows no better. Throws ApiError when the server refuses.
 */
export async function runCommandOverWebSocket(
  target: UpgradeTarget,
  streams: CommandStreams,
  random: Random,
): Promise<RemoteProcess> {
  const { socket, head, response } = await requestUpgrade(target, {
    method: 'GET',
    protocol: 'websocket',
    headers: webSocketRequestHeaders(random, webSocketCommandProtocols.slice(0, 2)),
  });
  const protocol = response.headers['sec-websocket-protocol'] ?? '';
  const connection = new WebSocketConnection(socket, { role: { side: 'client', random }, head });
  const channels = channelSocket(connection, protocol);
  const stdout = new ByteQueue({ limitBytes: outputLimitBytes });
  const stderr = new ByteQueue({ limitBytes: outputLimitBytes });
  return {
    stdin: streams.stdin ? inputOf(channels, protocol) : undefined,
    stdout: streams.stdout ? stdout : undefined,
    stderr: streams.stderr && !streams.tty ? stderr : undefined,
    resize: (size) => channels.send(commandChannel.resize, encodeResize(size)),
    exit: readOutput(channels, { stdout, stderr }),
    destroy: () => connection.destroy(),
  };
}

function inputOf(channels: ChannelSocket, protocol: string): NonNullable<RemoteProcess['stdin']> {
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += inputMessageBytes) {
        await channels.send(commandChannel.stdin, bytes.subarray(at, at + inputMessageBytes));
      }
    },
    async end() {
      // Before v5 a WebSocket could not tell the end of input; the command goes on waiting, as with upstream.
      if (protocol === 'v5.channel.k8s.io')
        await channels.send(commandChannel.close, Buffer.from([commandChannel.stdin]));
    },
  };
}

async function readOutput(
  channels: ChannelSocket,
  { stdout, stderr }: { readonly stdout: ByteQueue; readonly stderr: ByteQueue },
): Promise<ProcessExit> {
  const status: Buffer[] = [];
  for await (const { channel, data } of channels.messages()) {
    if (channel === commandChannel.stdout) await stdout.push(data);
    else if (channel === commandChannel.stderr) await stderr.push(data);
    else if (channel === commandChannel.error && data.length > 0) status.push(data);
  }
  stdout.end();
  stderr.end();
  if (status.length === 0) return { outcome: 'failed', message: 'lost the connection to the command' };
  return exitOfStatus(Buffer.concat(status).toString('utf8'), { isJson: true });
}
