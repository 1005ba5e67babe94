import type { WebSocketConnection } from './connection.ts';

/** One message on a channel. */
export interface ChannelMessage {
  readonly channel: number;
  readonly data: Buffer;
}

/** Many streams over one WebSocket: the first byte of each message, or its first digit in base64, is the channel. */
export interface ChannelSocket {
  messages(): AsyncIterable<ChannelMessage>;
  send(channel: number, data: Uint8Array): Promise<void>;
  close(): void;
  destroy(): void;
}

/** Kubernetes' channel protocols: the base64 ones travel as text for the sake of browsers. */
export function channelSocket(connection: WebSocketConnection, protocol: string): ChannelSocket {
  const isBase64 = protocol.includes('base64.');
  return {
    async *messages() {
      for await (const { data } of connection.messages()) {
        if (data.length === 0) continue;
        const channel = isBase64 ? data[0]! - 0x30 : data[0]!;
        const body = data.subarray(1);
        yield { channel, data: isBase64 ? Buffer.from(body.toString('latin1'), 'base64') : body };
      }
    },
    send(channel, data) {
      if (isBase64) return connection.send('text', Buffer.from(String(channel) + Buffer.from(data).toString('base64')));
      const message = Buffer.allocUnsafe(data.length + 1);
      message[0] = channel;
      message.set(data, 1);
      return connection.send('binary', message);
    },
    close: () => connection.close(),
    destroy: () => connection.destroy(),
  };
}
