import { type Clock, sleep } from '#base/clock.ts';
import type { ProcessExit, RemoteProcess } from '#machinery/node-api.ts';
import type { TerminalSize } from './protocol.ts';

/** The client's side of a running command, whatever protocol it speaks. */
export interface CommandPeer {
  /** Ends at the client's end of input, or when the client vanishes. Absent when no stdin was asked for. */
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly resizes: AsyncIterable<TerminalSize>;
  /** Resolves when the client takes more. Rejects when it has vanished. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
  /** Tells how the command ended, and says goodbye. */
  finish(exit: ProcessExit): Promise<void>;
  /** Settles when the connection is gone. */
  readonly gone: Promise<void>;
  destroy(): void;
}

/** How long a client may keep the connection after it was told the end. */
const goodbyeTimeoutMs = 5_000;

/**
 * Carries bytes between a client and a process until the process has ended and all its output is delivered, or the
 * client is gone, in which case the process is let go. Never rejects.
 */
export async function bridgeCommand(peer: CommandPeer, process: RemoteProcess, clock: Clock): Promise<void> {
  let finished = false;
  const clientLeft = peer.gone.then(() => {
    if (!finished) process.destroy();
  });
  pumpInput(peer, process);
  pumpResizes(peer, process);
  try {
    await Promise.all([pumpOutput(peer, 'stdout', process.stdout), pumpOutput(peer, 'stderr', process.stderr)]);
    const exit = await process.exit;
    finished = true;
    await peer.finish(exit);
  } catch {
    // Either side is gone: there is nobody to tell.
    process.destroy();
  }
  const left = new AbortController();
  sleep(clock, goodbyeTimeoutMs, left.signal).then(
    () => peer.destroy(),
    () => {},
  );
  await clientLeft;
  left.abort();
}

async function pumpOutput(
  peer: CommandPeer,
  stream: 'stdout' | 'stderr',
  output: AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  for await (const chunk of output ?? []) await peer.write(stream, chunk);
}

function pumpInput(peer: CommandPeer, process: RemoteProcess): void {
  const pump = async (): Promise<void> => {
    if (peer.stdin === undefined) return;
    let open = process.stdin !== undefined;
    for await (const chunk of peer.stdin) {
      // Input that the process no longer takes is read all the same: the client's other streams come behind it.
      if (open) open = await process.stdin!.write(chunk).then(always(true), always(false));
    }
    if (open) await process.stdin!.end();
  };
  pump().catch(() => process.destroy());
}

function pumpResizes(peer: CommandPeer, process: RemoteProcess): void {
  const pump = async (): Promise<void> => {
    for await (const size of peer.resizes) await process.resize(size);
  };
  // A terminal that cannot be resized is still of use.
  pump().catch(() => {});
}

function always<T>(value: T): () => T {
  return () => value;
}
