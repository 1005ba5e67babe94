import type { ByteStream, RemoteProcess } from '#machinery/node-api.ts';
import { forwardPortsOverSpdy } from '#streaming/port-forward/client.ts';
import { runCommandOverSpdy } from '#streaming/remote-command/spdy-client.ts';
import type { CriStreams, StreamSet } from '../cri/streams.ts';

/** containerd's streaming server speaks SPDY/3.1 on loopback. */
export const containerdStreams: CriStreams = {
  process(url: string, streams: StreamSet, signal: AbortSignal): Promise<RemoteProcess> {
    return runCommandOverSpdy({ url: new URL(url), signal }, streams);
  },

  async portForward(url: string, port: number, signal: AbortSignal): Promise<ByteStream> {
    const session = await forwardPortsOverSpdy({ url: new URL(url), signal });
    try {
      return closingWith(await session.open(port), session.close);
    } catch (error) {
      session.close();
      throw error;
    }
  },
};

/** The stream, whose session (good for this one connection) closes when both halves have ended or it is dropped. */
function closingWith(stream: ByteStream, close: () => void): ByteStream {
  let openHalves = 2;
  const closeHalf = () => {
    openHalves--;
    if (openHalves === 0) close();
  };
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* stream.readable;
    } finally {
      closeHalf();
    }
  }
  return {
    readable: read(),
    write: (bytes) => stream.write(bytes),
    async end() {
      await stream.end();
      closeHalf();
    },
    destroy() {
      stream.destroy();
      close();
    },
  };
}
