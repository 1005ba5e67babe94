import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, badRequest, internalError } from '#machinery/errors.ts';
import { streamProtocolHeader } from './remote-command/protocol.ts';
import { acceptHead, isWebSocketRequest, offeredProtocols } from './websocket/handshake.ts';

/** An HTTP request that asks to change protocols, as Node's `upgrade` event hands it over. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that came with the request. */
  readonly head: Uint8Array;
}

export interface Agreement {
  readonly transport: 'websocket' | 'spdy';
  /** The subprotocol; empty when the client named none. */
  readonly protocol: string;
  /** The head of the 101 answer. */
  readonly answer: string;
}

/**
 * Chooses the transport and the subprotocol. Throws ApiError when the client offers nothing that is spoken here.
 * Clients of SPDY repeat one header per protocol, or put them into one with commas.
 */
export function negotiate(
  request: IncomingMessage,
  supported: { readonly webSocket: readonly string[]; readonly spdy: readonly string[] },
): Agreement {
  if (isWebSocketRequest(request)) {
    const offered = offeredProtocols(request);
    const protocol = offered.length === 0 ? '' : offered.find((name) => supported.webSocket.includes(name));
    if (protocol === undefined)
      throw new ApiError(403, 'Forbidden', `unable to upgrade: none of ${offered.join(', ')} is supported`);
    const answer = acceptHead(request, protocol);
    if (answer === undefined) throw badRequest('malformed WebSocket handshake');
    return { transport: 'websocket', protocol, answer };
  }
  if (!/\bupgrade\b/i.test(request.headers.connection ?? '') || request.headers.upgrade?.toLowerCase() !== 'spdy/3.1') {
    throw badRequest('Upgrade request required');
  }
  const offered = [request.headers[streamProtocolHeader] ?? []]
    .flat()
    .flatMap((value) => value.split(',').map((name) => name.trim()));
  const protocol = offered.length === 0 ? '' : supported.spdy.find((name) => offered.includes(name));
  if (protocol === undefined) {
    throw new ApiError(
      403,
      'Forbidden',
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.spdy.join(' ')}]`,
    );
  }
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  if (protocol !== '') lines.push(`X-Stream-Protocol-Version: ${protocol}`);
  return { transport: 'spdy', protocol, answer: `${lines.join('\r\n')}\r\n\r\n` };
}

/** Answers a request that will not be upgraded with a Status, and closes. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const { status } =
    error instanceof ApiError ? error : internalError(error instanceof Error ? error.message : String(error));
  const body = Buffer.from(JSON.stringify(status));
  socket.on('error', () => {});
  socket.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${status.code} ${status.reason || 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
      body,
    ]),
  );
}
