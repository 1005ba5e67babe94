import type { KeyedQueue } from '#base/keyed-queue.ts';
import type { Log } from '#base/log.ts';
import { isReason } from '#machinery/errors.ts';

/**
 * Works at the names of a queue, one after the other, until it is closed. What fails is tried again; that another writer
 * came first is everyday life and told to nobody.
 * @param what the name's kind as the log calls it, for example `apiService`
 */
export async function workThrough(
  queue: KeyedQueue,
  { log, what }: { readonly log: Log; readonly what: string },
  work: (name: string) => Promise<void>,
): Promise<void> {
  for (let name = await queue.take(); name !== undefined; name = await queue.take()) {
    try {
      await work(name);
      queue.forget(name);
    } catch (error) {
      if (!isRace(error)) log.warn('will try again', { [what]: name, message: String(error) });
      queue.retry(name);
    }
    queue.done(name);
  }
}

function isRace(error: unknown): boolean {
  return isReason(error, 'AlreadyExists') || isReason(error, 'NotFound') || isReason(error, 'Conflict');
}
