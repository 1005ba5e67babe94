import type { Clock } from '#base/clock.ts';
import type { ByteStream } from '#machinery/node-api.ts';
import { negotiate, refuseUpgrade, type UpgradeRequest } from '../negotiate.ts';
import { channelSocket } from '../websocket/channels.ts';
import { WebSocketConnection } from '../websocket/connection.ts';
import { tunnelDuplex } from '../websocket/duplex.ts';
import { forwardPorts, serveForwardOverChannels } from './channel-server.ts';
import { channelForwardProtocols, type OpenPort, spdyForwardProtocol, tunnelForwardProtocol } from './protocol.ts';
import { serveForwardOverSpdy } from './spdy-server.ts';

export interface PortForwardService extends UpgradeRequest {
  /** One TCP connection to a port of the pod. */
  readonly open: OpenPort<ByteStream>;
  /** What error messages call the pod. */
  readonly podName: string;
  readonly clock: Clock;
}

/**
 * Serves `portforward`: SPDY/3.1, SPDY/3.1 inside a WebSocket (kubectl since v1.30), and the older WebSocket channels,
 * whose ports stand in the query. Resolves when the client is gone; never rejects.
 */
export async function servePortForward(service: PortForwardService): Promise<void> {
  const { request, socket, head } = service;
  socket.on('error', () => {});
  try {
    const agreement = negotiate(request, {
      webSocket: [tunnelForwardProtocol, ...channelForwardProtocols],
      spdy: [spdyForwardProtocol],
    });
    if (agreement.transport === 'spdy') {
      socket.write(agreement.answer);
      await serveForwardOverSpdy({ ...service, duplex: socket, head });
      return;
    }
    const isTunnel = agreement.protocol === tunnelForwardProtocol;
    const ports = isTunnel ? [] : forwardPorts(new URL(request.url ?? '/', 'http://localhost').searchParams);
    socket.write(agreement.answer);
    const connection = new WebSocketConnection(socket, { role: { side: 'server' }, head });
    if (isTunnel) await serveForwardOverSpdy({ ...service, duplex: tunnelDuplex(connection), head: new Uint8Array(0) });
    else await serveForwardOverChannels(channelSocket(connection, agreement.protocol), ports, service);
  } catch (error) {
    refuseUpgrade(socket, error);
  }
}
