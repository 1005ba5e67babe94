import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Random } from '#base/random.ts';

/** Whether a request asks to become a WebSocket. */
export function isWebSocketRequest(request: IncomingMessage): boolean {
  return (
    headerTokens(request.headers.connection).includes('upgrade') &&
    request.headers.upgrade?.toLowerCase() === 'websocket'
  );
}

/** The subprotocols that the client offers, in its order. */
export function offeredProtocols(request: IncomingMessage): readonly string[] {
  const offered = request.headers['sec-websocket-protocol'];
  return offered === undefined ? [] : offered.split(',').map((protocol) => protocol.trim());
}

/** The head of a 101 answer that accepts the request with `protocol`, or undefined when it is malformed. */
export function acceptHead(request: IncomingMessage, protocol: string): string | undefined {
  const key = request.headers['sec-websocket-key'];
  if (request.method !== 'GET' || key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return undefined;
  if (request.headers['sec-websocket-version'] !== '13') return undefined;
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    ...(protocol === '' ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The answer to a client's key (RFC 6455, section 4.2.2). */
function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

function headerTokens(header: string | undefined): readonly string[] {
  return (header ?? '').split(',').map((token) => token.trim().toLowerCase());
}

/** What a client sends to become a WebSocket, besides `Connection` and `Upgrade`. */
export function webSocketRequestHeaders(
  random: Random,
  protocols: readonly string[],
): Readonly<Record<string, string>> {
  return {
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.from(random.bytes(16)).toString('base64'),
    'Sec-WebSocket-Protocol': protocols.join(', '),
  };
}
