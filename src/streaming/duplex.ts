import type { Duplex } from 'node:stream';
import { StreamCutError } from './byte-queue.ts';

/**
 * Writes the parts as one piece and resolves when more may be written: at once while Node's own buffer has room, else
 * when the bytes have left it. Rejects with StreamCutError when the duplex is gone.
 */
export function writeAll(duplex: Duplex, ...parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    duplex.cork();
    let hasRoom = true;
    parts.forEach((part, index) => {
      hasRoom = duplex.write(part, (error) => {
        if (error) reject(new StreamCutError(`connection closed: ${error.message}`));
        else if (index === parts.length - 1) resolve();
      });
    });
    duplex.uncork();
    if (hasRoom) resolve();
  });
}

/** The bytes of a duplex, `head` first, paused while nobody asks for more. Ends quietly however the duplex ends. */
export async function* readAll(duplex: Duplex, head: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  try {
    // The write half stays usable after the peer's half has ended.
    for await (const chunk of duplex.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch {
    // A reset connection and a closed one are the same to the protocols above: there is no more to read.
  }
}
