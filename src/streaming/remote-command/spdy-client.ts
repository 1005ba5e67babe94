import type { ProcessExit, RemoteProcess } from '#machinery/node-api.ts';
import { StreamCutError } from '../byte-queue.ts';
import { requestUpgrade, type UpgradeTarget } from '../http-upgrade.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import {
  type CommandStreams,
  encodeResize,
  exitOfStatus,
  spdyCommandProtocols,
  streamProtocolHeader,
  streamTypeHeader,
} from './protocol.ts';

/**
 * Connects to a command on a container runtime's streaming server (the URL of an ExecResponse or AttachResponse).
 * Throws ApiError when the server refuses, StreamCutError when it goes away meanwhile.
 */
export async function runCommandOverSpdy(target: UpgradeTarget, streams: CommandStreams): Promise<RemoteProcess> {
  const { socket, head, response } = await requestUpgrade(target, {
    method: 'POST',
    protocol: 'SPDY/3.1',
    headers: { [streamProtocolHeader]: [...spdyCommandProtocols] },
  });
  const protocol = [response.headers[streamProtocolHeader] ?? ''].flat().join();
  const isV4 = protocol.startsWith('v4.');
  const connection = new SpdyConnection(socket, { role: 'client', head });
  const open = (type: string) => connection.open({ [streamTypeHeader]: type });
  const openIf = (wanted: boolean, type: string) => (wanted ? open(type) : undefined);
  // All at once: the server answers a stream each, and starts the command when it has them all.
  const [error, stdin, stdout, stderr, resize] = await Promise.all([
    open('error'),
    openIf(streams.stdin, 'stdin'),
    openIf(streams.stdout, 'stdout'),
    openIf(streams.stderr, 'stderr'),
    openIf(streams.tty && (isV4 || protocol.startsWith('v3.')), 'resize'),
  ]);
  const exit = readExit(error.readable, { isJson: isV4 });
  const output = new OutputGate(streams);
  // A goodbye while output is under way could cost the rest of it.
  void Promise.all([exit, output.drained]).then(() => connection.close());
  return {
    stdin,
    stdout: stdout && output.pass(stdout.readable),
    stderr: stderr && output.pass(stderr.readable),
    resize: async (size) => resize?.write(encodeResize(size)),
    exit,
    destroy: () => connection.destroy(),
  };
}

/** Hands on the output streams and knows when all of them have been read to their ends. */
class OutputGate {
  readonly #drained = Promise.withResolvers<void>();
  #open: number;

  constructor(streams: CommandStreams) {
    this.#open = Number(streams.stdout) + Number(streams.stderr);
    if (this.#open === 0) this.#drained.resolve();
  }

  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  async *pass(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* bytes;
    } catch (error) {
      // Runtimes reset the streams of a command that has ended; whether it has is for the exit to say.
      if (!(error instanceof StreamCutError)) throw error;
    } finally {
      this.#open--;
      if (this.#open === 0) this.#drained.resolve();
    }
  }
}

async function readExit(bytes: AsyncIterable<Uint8Array>, format: { readonly isJson: boolean }): Promise<ProcessExit> {
  const parts: Uint8Array[] = [];
  try {
    for await (const chunk of bytes) parts.push(chunk);
  } catch (error) {
    if (!(error instanceof StreamCutError)) throw error;
    // Servers may reset the stream after the status instead of ending it.
    if (parts.length === 0)
      return { outcome: 'failed', message: `lost the connection to the command: ${error.message}` };
  }
  return exitOfStatus(Buffer.concat(parts).toString('utf8'), format);
}
