import { styleText } from 'node:util';
import type { Clock } from '#base/clock.ts';

/** What a person sees while the cluster comes up: a spinner and a line for each step on a terminal, plain lines in a pipe. */
export interface Progress {
  step(done: string): void;
  /** Ends the spinner. */
  stop(): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 80;

export function startProgress(stream: NodeJS.WriteStream, clock: Clock): Progress {
  const started = clock.monotonic();
  const lively = stream.isTTY === true && process.env['NO_COLOR'] === undefined;
  let frame = 0;
  let stopped = false;
  const clear = (): void => {
    if (lively) stream.write('\r\u001b[K');
  };
  const spin = (): void => {
    if (stopped || !lively) return;
    stream.write(`\r${styleText('cyan', frames[frame++ % frames.length]!)} starting …`);
    clock.schedule(frameMs, spin);
  };
  spin();
  return {
    step(done) {
      clear();
      const elapsed = `${Math.round(clock.monotonic() - started)} ms`.padStart(8);
      stream.write(
        lively
          ? `${styleText('green', '✓')} ${done.padEnd(28)} ${styleText('dim', elapsed)}\n`
          : `${done.padEnd(28)} ${elapsed}\n`,
      );
    },
    stop() {
      stopped = true;
      clear();
    },
  };
}
