import type { Random } from '#base/random.ts';
import type { ByteStream } from '#machinery/node-api.ts';
import { StreamCutError } from '../byte-queue.ts';
import { requestUpgrade, type UpgradeTarget } from '../http-upgrade.ts';
import { streamProtocolHeader } from '../remote-command/protocol.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { WebSocketConnection } from '../websocket/connection.ts';
import { tunnelDuplex } from '../websocket/duplex.ts';
import { webSocketRequestHeaders } from '../websocket/handshake.ts';
import { forwardHeader, spdyForwardProtocol, tunnelForwardProtocol } from './protocol.ts';

/** A connection over which ports of one pod are reached. */
export interface PortForwardSession {
  /** A new TCP connection to a port in the pod. Reading throws when the far side reports a failure. */
  open(port: number): Promise<ByteStream>;
  /** Settles when the session is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Towards a container runtime: SPDY/3.1 on its streaming server. Throws ApiError when it refuses. */
export async function forwardPortsOverSpdy(target: UpgradeTarget): Promise<PortForwardSession> {
  const { socket, head } = await requestUpgrade(target, {
    method: 'POST',
    protocol: 'SPDY/3.1',
    headers: { [streamProtocolHeader]: spdyForwardProtocol },
  });
  return session(new SpdyConnection(socket, { role: 'client', head }));
}

/** Towards an API server: SPDY/3.1 inside a WebSocket (KEP-4006). Throws ApiError when it refuses. */
export async function forwardPortsOverWebSocket(target: UpgradeTarget, random: Random): Promise<PortForwardSession> {
  const { socket, head } = await requestUpgrade(target, {
    method: 'GET',
    protocol: 'websocket',
    headers: webSocketRequestHeaders(random, [tunnelForwardProtocol]),
  });
  const tunnel = tunnelDuplex(new WebSocketConnection(socket, { role: { side: 'client', random }, head }));
  return session(new SpdyConnection(tunnel, { role: 'client' }));
}

function session(connection: SpdyConnection): PortForwardSession {
  let requests = 0;
  return {
    closed: connection.closed,
    close: () => connection.close(),
    async open(port) {
      const headers = { [forwardHeader.port]: String(port), [forwardHeader.requestId]: String(requests++) };
      const error = await connection.open({ ...headers, [forwardHeader.type]: 'error' });
      // Nothing is ever written to it; the far side waits for this end before it lets the pair go.
      await error.end();
      const data = await connection.open({ ...headers, [forwardHeader.type]: 'data' });
      return withErrors(data, error);
    },
  };
}

/**
 * The data stream, whose end becomes a failure when the error stream has something to say. Upstream says it before the
 * end of the data, containerd after it, but only where it has sent no data at all.
 */
function withErrors(data: SpdyStream, error: SpdyStream): ByteStream {
  const throwIfFailed = (bytes: Uint8Array): void => {
    const text = Buffer.from(bytes).toString('utf8');
    if (text !== '') throw new StreamCutError(text);
  };
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    let isEmpty = true;
    try {
      for await (const chunk of data.readable) {
        isEmpty = false;
        yield chunk;
      }
      if (isEmpty) for await (const bytes of error.readable) throwIfFailed(bytes);
    } catch (cause) {
      throwIfFailed(error.take());
      throw cause;
    }
    throwIfFailed(error.take());
  }
  return {
    readable: read(),
    write: (bytes) => data.write(bytes),
    end: () => data.end(),
    destroy() {
      data.destroy();
      error.destroy();
    },
  };
}
