import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import type { Log } from '#base/log.ts';
import { cleanUpSnapshots } from './clean-up.ts';

/**
 * Takes a snapshot of the loaded program, from which the next `proa up` starts (docs/adr/start-snapshot.md). It takes two
 * seconds of a processor that nobody else wants. A Node that cannot take one is not asked again.
 * @param folder where the launcher looks for it
 * @returns what ends it early
 */
export function takeSnapshot(folder: string, log: Log): () => void {
  const key = `${process.execPath}\n${stampOf(process.execPath)}\n`;
  const refused = join(folder, 'refused');
  if (existsSync(refused) && readFileSync(refused, 'utf8') === key) return () => {};
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cleanUpSnapshots(folder).catch((error: Error) => log.debug('old snapshots stay', { error: error.message }));
  const taken = join(folder, `snapshot-${process.pid}`);
  const program = join(import.meta.dirname, 'start.cjs');
  const args = ['--expose-gc', '--snapshot-blob', taken, '--build-snapshot', program];
  let isEndedEarly = false;
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  child.unref();
  child.once('error', (error) => log.debug('no snapshot', { error: error.message }));
  child.once('spawn', () => setPriority(child.pid!, constants.priority.PRIORITY_LOW));
  child.once('exit', (code, signal) => {
    try {
      if (code === 0) return keep(taken, folder, key);
      log.debug('no snapshot', { exit: String(code ?? signal) });
      rmSync(taken, { force: true });
      if (!isEndedEarly) writeFileSync(refused, key, { mode: 0o600 });
    } catch (error) {
      // The disk is full, or the folder is gone: the next start is as slow as this one.
      log.debug('no snapshot', { error: (error as Error).message });
    }
  });
  return () => {
    isEndedEarly = true;
    child.kill();
  };
}

/** The key comes last: a snapshot that it does not fit is not used. */
function keep(taken: string, folder: string, key: string): void {
  writeFileSync(`${taken}.key`, key, { mode: 0o600 });
  renameSync(taken, join(folder, 'snapshot'));
  renameSync(`${taken}.key`, join(folder, 'key'));
}

/** What `stat -L -c '%d %i %s %Z'` says of a file: another one, or a newer one, has another. */
function stampOf(file: string): string {
  const { dev, ino, size, ctimeMs } = statSync(file);
  return `${dev} ${ino} ${size} ${Math.floor(ctimeMs / 1000)}`;
}
