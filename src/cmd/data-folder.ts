import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Something a person has to know and can act on: printed as one line, exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** What a running cluster says of itself to `proa status` and `proa down`. */
export interface RunningCluster {
  readonly pid: number;
  readonly port: number;
  readonly address: string;
  readonly kubeconfig: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly nodes: number;
  readonly simulatedNodes: number;
  readonly runDir: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
}

const stateFile = (dataDir: string): string => join(dataDir, 'running.json');

/**
 * Takes the data folder for this process until it ends, however it ends: the lock is an open SQLite transaction, which
 * no crash leaves behind. @throws UserError when another process has it or the folder cannot be used.
 */
export function lockDataFolder(dataDir: string): { release(): void } {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UserError(`cannot use the data folder ${dataDir} (${errorCode(error)}): choose another with --data-dir`);
  }
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(join(dataDir, 'lock.db'));
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (pid INTEGER);');
  } catch (error) {
    if (/locked/.test(String(error))) {
      const running = readRunning(dataDir);
      const who = running === undefined ? '' : ` by process ${running.pid}`;
      throw new UserError(
        `the data folder ${dataDir} is in use${who}: stop that cluster with "proa down", or choose another folder with --data-dir`,
      );
    }
    throw new UserError(
      `cannot use the data folder ${dataDir} (${String(error instanceof Error ? error.message : error)}): choose another with --data-dir`,
    );
  }
  return {
    release() {
      rmSync(stateFile(dataDir), { force: true });
      database.close();
    },
  };
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

export function writeRunning(dataDir: string, running: RunningCluster): void {
  writeFileSync(`${stateFile(dataDir)}.new`, `${JSON.stringify(running, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${stateFile(dataDir)}.new`, stateFile(dataDir));
}

/** The cluster of a data folder, if its process is alive. */
export function readRunning(dataDir: string): RunningCluster | undefined {
  try {
    const running = JSON.parse(readFileSync(stateFile(dataDir), 'utf8')) as RunningCluster;
    process.kill(running.pid, 0);
    return running;
  } catch {
    return undefined;
  }
}
