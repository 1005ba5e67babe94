import module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { Clock } from '#base/clock.ts';

/** When the start of a program is over, and what it starts with has been loaded, milliseconds. */
const startedAfterMs = 2500;

/**
 * Lets the heap of a program that goes on grow to twice what is in use. Closer costs a burst of writes a third of its
 * processor time, for collecting the same garbage over and over; farther costs memory that a laptop has other uses for.
 * And one thread collects what is young: with several, which wait for each other where the processors are busy, a burst of
 * writes costs a fifth more processor time.
 *
 * Not arguments of Node's: with them on, V8 takes no compiled code that was kept without them, and Node's own modules, a
 * hundred and seventy of them, would be compiled anew at each start.
 */
export function growHeapLater(clock: Clock): void {
  clock.schedule(startedAfterMs, () => {
    // What is kept for the next start is what the next start can use.
    module.flushCompileCache();
    setFlagsFromString('--heap-growing-percent=100');
    setFlagsFromString('--no-parallel-scavenge');
  });
}
