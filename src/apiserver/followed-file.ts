import { readFileSync } from 'node:fs';
import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';

const intervalMs = 10_000;

/** Calls back with the text of a file whenever it has changed; what the callback cannot use is logged and left. */
export function followFile(
  path: string,
  environment: Environment,
  { text: first, onChange }: { readonly text: string; readonly onChange: (text: string) => void | Promise<void> },
): { close(): void } {
  const { clock, log } = environment;
  let seen = first;
  let timer: Timer | undefined;
  let isClosed = false;
  const look = async (): Promise<void> => {
    try {
      const text = readFileSync(path, 'utf8');
      if (text !== seen) {
        seen = text;
        await onChange(text);
        log.info('configuration reloaded', { path });
      }
    } catch (error) {
      log.error('the configuration stays as it was', { path, error: String(error) });
    }
    if (!isClosed) schedule();
  };
  const schedule = (): void => {
    timer = clock.schedule(intervalMs, () => void look());
  };
  schedule();
  return {
    close() {
      isClosed = true;
      timer?.cancel();
    },
  };
}
