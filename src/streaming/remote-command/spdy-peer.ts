import type { Duplex } from 'node:stream';
import { type Clock, sleep } from '#base/clock.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import type { CommandPeer } from './bridge.ts';
import { type CommandStreams, decodeResizes, streamTypeHeader } from './protocol.ts';
import { closingText } from './websocket-peer.ts';

/** How long a client may take to open its streams; upstream waits as long. */
export const streamCreationTimeoutMs = 30_000;

type StreamType = 'error' | 'stdin' | 'stdout' | 'stderr' | 'resize';

/**
 * A client on SPDY, once it has opened one stream for each thing it wants. Undefined when it vanishes or dawdles.
 */
export async function spdyPeer(options: {
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly protocol: string;
  readonly streams: CommandStreams;
  readonly clock: Clock;
}): Promise<CommandPeer | undefined> {
  const expected = expectedStreams(options.streams, options.protocol);
  const opened = new Map<StreamType, SpdyStream>();
  const complete = Promise.withResolvers<boolean>();
  const connection = new SpdyConnection(options.socket, {
    role: 'server',
    head: options.head,
    onStream(stream) {
      const type = expected.find((wanted) => wanted === stream.headers[streamTypeHeader]);
      if (type === undefined || opened.has(type)) {
        stream.destroy();
        return;
      }
      opened.set(type, stream);
      if (opened.size === expected.length) complete.resolve(true);
    },
  });
  const stop = new AbortController();
  void connection.closed.then(() => complete.resolve(false));
  sleep(options.clock, streamCreationTimeoutMs, stop.signal).then(
    () => complete.resolve(false),
    () => {},
  );
  const isComplete = await complete.promise;
  stop.abort();
  if (!isComplete) {
    connection.destroy();
    return undefined;
  }
  return peerOver(connection, opened, options.protocol);
}

function expectedStreams(streams: CommandStreams, protocol: string): readonly StreamType[] {
  const canResize = protocol.startsWith('v4.') || protocol.startsWith('v3.');
  return [
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => streams[name]),
    ...(streams.tty && canResize ? (['resize'] as const) : []),
  ];
}

function peerOver(
  connection: SpdyConnection,
  opened: ReadonlyMap<StreamType, SpdyStream>,
  protocol: string,
): CommandPeer {
  return {
    stdin: opened.get('stdin')?.readable,
    resizes: decodeResizes(opened.get('resize')?.readable ?? nothing()),
    async write(stream, bytes) {
      await opened.get(stream)?.write(bytes);
    },
    async finish(exit) {
      const text = closingText(protocol, exit);
      if (text !== '') await opened.get('error')!.write(Buffer.from(text));
      for (const stream of opened.values()) await stream.end();
      connection.close();
    },
    gone: connection.closed,
    destroy: () => connection.destroy(),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
