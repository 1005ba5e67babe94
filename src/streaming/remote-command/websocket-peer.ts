import type { ProcessExit } from '#machinery/node-api.ts';
import { ByteQueue } from '../byte-queue.ts';
import type { ChannelSocket } from '../websocket/channels.ts';
import type { CommandPeer } from './bridge.ts';
import { type CommandStreams, commandChannel, decodeResizes, statusOfExit } from './protocol.ts';

/** Input that waits for the process before the client has to. */
const inputLimitBytes = 256 * 1024;

/** A kubectl or another client on a WebSocket, where the first byte of a message names its stream. */
export function webSocketPeer(socket: ChannelSocket, protocol: string, streams: CommandStreams): CommandPeer {
  const stdin = new ByteQueue({ limitBytes: inputLimitBytes });
  const resizes = new ByteQueue({ limitBytes: inputLimitBytes });
  const canClose = protocol === 'v5.channel.k8s.io';
  const read = async (): Promise<void> => {
    for await (const { channel, data } of socket.messages()) {
      if (channel === commandChannel.stdin) await stdin.push(data);
      else if (channel === commandChannel.resize) await resizes.push(data);
      else if (channel === commandChannel.close && canClose && data[0] === commandChannel.stdin) stdin.end();
    }
  };
  const gone = read()
    .catch(() => {})
    .then(() => {
      stdin.end();
      resizes.end();
    });
  return {
    stdin: streams.stdin ? stdin : abandoned(stdin),
    resizes: decodeResizes(resizes),
    write: (stream, bytes) => socket.send(commandChannel[stream], bytes),
    async finish(exit) {
      const text = closingText(protocol, exit);
      if (text !== '') await socket.send(commandChannel.error, Buffer.from(text));
      socket.close();
    },
    gone,
    destroy: () => socket.destroy(),
  };
}

function abandoned(queue: ByteQueue): undefined {
  queue.abandon();
  return undefined;
}

/** Before v4 only errors were told, as plain text. */
export function closingText(protocol: string, exit: ProcessExit): string {
  const status = statusOfExit(exit);
  if (/^v[45]\./.test(protocol)) return JSON.stringify(status);
  return status['status'] === 'Success' ? '' : String(status['message']);
}
