import { sleep } from '#base/clock.ts';
import { lines } from '#client/http/client.ts';
import { ApiError } from '#machinery/errors.ts';
import { parseJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { resourcePath } from '../discovery/mapper.ts';
import { itemsOf } from '../resources/fetch.ts';
import type { Target } from './targets.ts';

/** Pause before a watch that ended is begun again. */
const rewatchPauseMs = 500;

/** An object that a command waits for was not as wanted in time. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
}

export interface UntilOptions {
  /** Absent: without end. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Follows one object until `done` gives an answer for it; undefined stands for an object that is not there. Throws
 * WaitTimeout, ApiError, and whatever `done` throws.
 */
export async function untilObject<Answer>(
  context: CommandContext,
  target: Target,
  done: (object: JsonObject | undefined) => Answer | undefined,
  { timeoutMs }: UntilOptions = {},
): Promise<Answer> {
  const timeout = new AbortController();
  const timer =
    timeoutMs === undefined ? undefined : context.clock.schedule(timeoutMs, () => timeout.abort(new WaitTimeout()));
  const signal = AbortSignal.any([context.signal, timeout.signal]);
  try {
    for (;;) {
      for await (const object of states(context, target, signal)) {
        const answer = done(object);
        if (answer !== undefined) return answer;
      }
      await sleep(context.clock, rewatchPauseMs, signal);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    timer?.cancel();
  }
}

/** The object as it is, then as every change leaves it, until the server ends the watch. */
async function* states(
  context: CommandContext,
  { info, namespace, name }: Target,
  signal: AbortSignal,
): AsyncGenerator<JsonObject | undefined> {
  const path = resourcePath(info, { namespace });
  const query = { fieldSelector: `metadata.name=${name}` };
  const list = await context.request({ path, query });
  yield itemsOf(list)[0];
  const { resourceVersion } = list['metadata'] as { readonly resourceVersion?: string };
  signal.throwIfAborted();
  const { body } = await context.stream({ path, query: { ...query, watch: true, resourceVersion } });
  const stop = (): void => void body.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    // The time may have run out while the server began its answer: nobody calls back any more.
    signal.throwIfAborted();
    for await (const line of lines(body)) {
      const event = parseJson(line) as { readonly type?: string; readonly object?: JsonObject };
      if (event.type === 'ERROR') throw ApiError.fromStatus(event.object as never);
      if (event.type !== 'BOOKMARK') yield event.type === 'DELETED' ? undefined : event.object;
    }
  } catch (error) {
    const isTooOld = error instanceof ApiError && error.code === 410;
    if (!isTooOld) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}
