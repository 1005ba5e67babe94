import type { ByteStream, RemoteProcess } from '#machinery/node-api.ts';
import type { CriStreams, StreamSet } from '../cri/streams.ts';

const words = 'simulated container: no process runs here\n';
/** What a shell answers for a command that cannot be run. */
const cannotRun = 126;

/** Sessions in simulated containers: they say what they are and end. */
export const simulatedStreams: CriStreams = {
  async process(url: string, streams: StreamSet): Promise<RemoteProcess> {
    const isExec = url.endsWith('exec');
    const bytes = new TextEncoder().encode(words);
    const toStderr = isExec && streams.stderr && !streams.tty;
    return {
      stdin: streams.stdin ? { write: async () => {}, end: async () => {} } : undefined,
      stdout: streams.stdout ? once(toStderr ? undefined : bytes) : undefined,
      stderr: streams.stderr && !streams.tty ? once(toStderr ? bytes : undefined) : undefined,
      resize: async () => {},
      exit: Promise.resolve({ outcome: 'exited', code: isExec ? cannotRun : 0 }),
      destroy: () => {},
    };
  },
  async portForward(): Promise<ByteStream> {
    const bytes = new TextEncoder().encode(words);
    return { readable: once(bytes), write: async () => {}, end: async () => {}, destroy: () => {} };
  },
};

async function* once(bytes: Uint8Array | undefined): AsyncIterable<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
