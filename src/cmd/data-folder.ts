import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileTrouble, makeFolder } from './files.ts';

/** Something a person has to know and can act on: printed as one line, exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** What a cluster that runs, or ran last, says of itself to the other commands. */
export interface RunningCluster {
  readonly pid: number;
  readonly port: number;
  readonly address: string;
  readonly kubeconfig: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly nodes: number;
  readonly simulatedNodes: number;
  readonly serviceCidr: string;
  readonly podCidr: string;
}

/** Who asks whether a cluster runs holds the lock for an instant. */
const lockWaitMs = 500;

const stateFile = (dataDir: string): string => join(dataDir, 'running.json');

/** @throws UserError where that cannot be */
export function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir);
  } catch (error) {
    throw new UserError(
      `cannot use the data folder ${dataDir} (${fileTrouble(error)}): choose another with --data-dir`,
    );
  }
}

/**
 * Takes the data folder for this process until it ends, however it ends: the lock is an open SQLite transaction, which
 * no crash leaves behind. @throws UserError when another process has it or the folder cannot be used.
 */
export function lockDataFolder(dataDir: string): { release(): void } {
  makeDataFolder(dataDir);
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: lockWaitMs });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (pid INTEGER);');
  } catch (error) {
    if (/locked/.test(String(error))) {
      const running = readRunning(dataDir);
      const who = running === undefined ? '' : ` by process ${running.pid}`;
      throw new UserError(
        `the data folder ${dataDir} is in use${who}: stop that cluster with "proa down", or choose another folder with --data-dir`,
      );
    }
    const why = error instanceof Error ? error.message : String(error);
    if (/not a database|malformed/.test(why))
      throw new UserError(`${join(dataDir, 'lock.db')} is damaged: remove it, nothing is kept in it`);
    throw new UserError(`cannot use the data folder ${dataDir} (${why}): choose another with --data-dir`);
  }
  return {
    release() {
      database.close();
    },
  };
}

export function writeRunning(dataDir: string, running: RunningCluster): void {
  writeFileSync(`${stateFile(dataDir)}.new`, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${stateFile(dataDir)}.new`, stateFile(dataDir));
}

/** The cluster of a data folder, if it runs: a process id alone may have gone to another program meanwhile. */
export function readRunning(dataDir: string): RunningCluster | undefined {
  return isLocked(dataDir) ? readLastStart(dataDir) : undefined;
}

/** The last cluster of a data folder that became ready, whether it runs or not. */
export function readLastStart(dataDir: string): RunningCluster | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(dataDir), 'utf8')) as RunningCluster;
  } catch {
    return undefined;
  }
}

function isLocked(dataDir: string): boolean {
  const path = join(dataDir, 'lock.db');
  if (!existsSync(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.exec('SELECT count(*) FROM sqlite_schema');
    return false;
  } catch (error) {
    return /locked/.test(String(error));
  } finally {
    database?.close();
  }
}
