import type { ByteStream } from '#machinery/node-api.ts';

/**
 * Joins two streams until both directions have ended, each with its own half-close. Throws what broke either; both
 * are destroyed then.
 */
export async function joinStreams(left: ByteStream, right: ByteStream): Promise<void> {
  try {
    await Promise.all([pump(left, right), pump(right, left)]);
  } catch (error) {
    left.destroy();
    right.destroy();
    throw error;
  }
}

async function pump(from: ByteStream, to: ByteStream): Promise<void> {
  for await (const chunk of from.readable) await to.write(chunk);
  await to.end();
}
