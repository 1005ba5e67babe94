import type { Duplex } from 'node:stream';
import { type Clock, sleep } from '#base/clock.ts';
import type { ByteStream } from '#machinery/node-api.ts';
import { streamCreationTimeoutMs } from '../remote-command/spdy-peer.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { forwardHeader, type OpenPort, parsePort } from './protocol.ts';
import { joinStreams } from './pump.ts';

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly complete: AbortController;
}

/**
 * Serves one client's port-forward connection: for each pair of streams with one request id, one connection to the
 * pod. Resolves when the client is gone.
 *
 * A failure is written to the error stream and resets the pair only, so that the client can go on (as upstream since
 * v1.23).
 */
export async function serveForwardOverSpdy(options: {
  readonly duplex: Duplex;
  readonly head?: Uint8Array;
  readonly open: OpenPort<ByteStream>;
  /** What error messages call the pod. */
  readonly podName: string;
  readonly clock: Clock;
}): Promise<void> {
  const pairs = new Map<string, Pair>();
  const connection = new SpdyConnection(options.duplex, {
    role: 'server',
    ...(options.head === undefined ? {} : { head: options.head }),
    onStream(stream) {
      const type = stream.headers[forwardHeader.type];
      const port = parsePort(stream.headers[forwardHeader.port]);
      if (port === undefined || (type !== 'data' && type !== 'error')) {
        stream.destroy();
        return;
      }
      const id = requestIdOf(stream, type);
      const pair = pairs.get(id) ?? { complete: new AbortController() };
      if (pair[type] !== undefined) {
        pair.error
          ?.write(Buffer.from(`error processing stream for request ${id}: ${type} stream already assigned`))
          .catch(() => {});
        stream.destroy();
        return;
      }
      pair[type] = stream;
      if (!pairs.has(id)) expire(pairs, id, pair, options.clock);
      pairs.set(id, pair);
      if (pair.data === undefined || pair.error === undefined) return;
      pairs.delete(id);
      pair.complete.abort();
      void forward(pair.data, pair.error, port, options);
    },
  });
  await connection.closed;
  for (const pair of pairs.values()) pair.complete.abort();
}

/** Very old clients send no request id, but open a connection's error stream right before its data stream. */
function requestIdOf(stream: SpdyStream, type: 'data' | 'error'): string {
  return stream.headers[forwardHeader.requestId] ?? `stream ${type === 'error' ? stream.id : stream.id - 2}`;
}

function expire(pairs: Map<string, Pair>, id: string, pair: Pair, clock: Clock): void {
  sleep(clock, streamCreationTimeoutMs, pair.complete.signal).then(
    () => {
      pairs.delete(id);
      pair.error?.write(Buffer.from(`(request=${id}) timed out waiting for streams`)).catch(() => {});
      pair.data?.destroy();
    },
    () => {},
  );
}

async function forward(
  data: SpdyStream,
  error: SpdyStream,
  port: number,
  { open, podName }: { readonly open: OpenPort<ByteStream>; readonly podName: string },
): Promise<void> {
  try {
    await joinStreams(data, await open(port));
    await error.end();
  } catch (cause) {
    await error.write(Buffer.from(forwardFailure(port, podName, cause))).catch(() => {});
    data.destroy();
    error.destroy();
  }
}

/** The text by which clients learn that a connection failed. A runtime's own text is in this form already. */
export function forwardFailure(port: number, podName: string, cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.startsWith('error forwarding port')
    ? message
    : `error forwarding port ${port} to pod ${podName}: ${message}`;
}
