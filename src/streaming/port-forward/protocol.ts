/** Subprotocol over SPDY: a pair of streams, data and error, for each TCP connection. */
export const spdyForwardProtocol = 'portforward.k8s.io';

/** The same SPDY connection inside the binary messages of a WebSocket (KEP-4006). */
export const tunnelForwardProtocol = 'SPDY/3.1+portforward.k8s.io';

/** Two channels for each port of the query, data and error; each begins with the port. */
export const channelForwardProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const;

/** Headers of the SPDY streams. */
export const forwardHeader = { type: 'streamtype', port: 'port', requestId: 'requestid' } as const;

/** Connects to a port of the pod. */
export type OpenPort<Stream> = (port: number) => Promise<Stream>;

/** The number of a port, or undefined when the text is none. */
export function parsePort(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 0xffff ? port : undefined;
}
