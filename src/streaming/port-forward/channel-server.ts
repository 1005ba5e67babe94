import { badRequest } from '#machinery/errors.ts';
import type { ByteStream } from '#machinery/node-api.ts';
import { ByteQueue, StreamCutError } from '../byte-queue.ts';
import type { ChannelSocket } from '../websocket/channels.ts';
import { type OpenPort, parsePort } from './protocol.ts';
import { joinStreams } from './pump.ts';
import { forwardFailure } from './spdy-server.ts';

/** Bytes of one channel that wait for the pod before the client has to. */
const channelLimitBytes = 256 * 1024;
/** Channel numbers are one byte, and each port takes two. */
const maxPorts = 127;

/** The ports of `?ports=80&ports=443` or `?ports=80,443`. Throws ApiError 400 for anything else. */
export function forwardPorts(query: URLSearchParams): readonly number[] {
  const texts = query.getAll('ports').flatMap((text) => text.split(','));
  if (texts.length === 0) throw badRequest('query parameter "ports" is required');
  if (texts.length > maxPorts) throw badRequest(`at most ${maxPorts} ports can be forwarded at a time`);
  return texts.map((text) => {
    const port = parsePort(text);
    if (port === undefined) throw badRequest(`unable to parse "${text}" as a port`);
    return port;
  });
}

/** Serves the older WebSocket protocol: one connection to the pod per port of the query, open from the start. */
export async function serveForwardOverChannels(
  socket: ChannelSocket,
  ports: readonly number[],
  options: { readonly open: OpenPort<ByteStream>; readonly podName: string },
): Promise<void> {
  const inputs = ports.map(() => new ByteQueue({ limitBytes: channelLimitBytes }));
  const reading = (async () => {
    for await (const { channel, data } of socket.messages()) {
      if (channel % 2 === 0) await inputs[channel / 2]?.push(data);
    }
  })();
  const clientLeft = reading
    .catch(() => {})
    .then(() => {
      for (const input of inputs) input.end(new StreamCutError('connection closed'));
    });
  await Promise.all(
    ports.map(async (port, index) => {
      const channels = { data: 2 * index, error: 2 * index + 1 };
      const prefix = Buffer.from([port & 0xff, port >> 8]);
      try {
        await socket.send(channels.data, prefix);
        await socket.send(channels.error, prefix);
        await joinStreams(channelStream(socket, channels.data, inputs[index]!), await options.open(port));
      } catch (cause) {
        await socket.send(channels.error, Buffer.from(forwardFailure(port, options.podName, cause))).catch(() => {});
      }
    }),
  );
  socket.close();
  await clientLeft;
}

function channelStream(socket: ChannelSocket, channel: number, input: ByteQueue): ByteStream {
  return {
    readable: input,
    write: (bytes) => socket.send(channel, bytes),
    // Channels have no half-close: the pod's end of output ends the client's input as well.
    end: async () => input.end(),
    destroy: () => input.abandon(),
  };
}
