import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { type Clock, sleep } from '#base/clock.ts';
import { commandEnvironment } from '#system/run-command.ts';

/** Files by which a later start finds a containerd that an earlier one left running. */
export interface DaemonFiles {
  readonly configPath: string;
  readonly pidPath: string;
  readonly logPath: string;
  readonly socketPath: string;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;
const retryMs = 5;

/** The process id of a containerd that runs with this configuration file, or undefined. */
export async function runningPid(files: DaemonFiles): Promise<number | undefined> {
  const pid = Number(await readFile(files.pidPath, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  // Process ids are used again; the command line says whether this is still ours.
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(files.configPath) ? pid : undefined;
}

/** Starts containerd in a session of its own, so that it outlives this process, and waits until its socket accepts. */
export async function spawnDaemon(files: DaemonFiles, clock: Clock, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(files.logPath), { recursive: true });
  await rm(files.socketPath, { force: true });
  const log = await open(files.logPath, 'a');
  const child = spawn('containerd', ['--config', files.configPath, '--log-level', 'warn'], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: commandEnvironment(),
  });
  const failed = Promise.withResolvers<never>();
  // Awaited below; a failure after the start is found by whoever uses the socket.
  failed.promise.catch(() => {});
  child.on('error', (error: NodeJS.ErrnoException) => {
    failed.reject(error.code === 'ENOENT' ? new Error('containerd is not installed') : error);
  });
  child.on(
    'exit',
    () => void lastLine(files.logPath).then((line) => failed.reject(new Error(`containerd ended: ${line}`))),
  );
  await log.close();
  child.unref();
  if (child.pid !== undefined) await writeFile(files.pidPath, String(child.pid));
  await Promise.race([socketAccepts(files.socketPath, clock, signal), failed.promise]);
}

/** Resolves when something listens at `path`; rejects when nothing does for too long. */
export async function socketAccepts(path: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + startTimeoutMs;
  while (!(await canConnect(path))) {
    if (clock.monotonic() > deadline) throw new Error(`nothing listens at ${path}`);
    await sleep(clock, retryMs, signal);
  }
}

/** Ends the containerd of these files, if there is one; its containers go on. */
export async function stopDaemon(files: DaemonFiles, clock: Clock, signal: AbortSignal): Promise<void> {
  const pid = await runningPid(files);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  const deadline = clock.monotonic() + stopTimeoutMs;
  // Not necessarily our child: there is no event to wait for.
  while ((await runningPid(files)) === pid) {
    if (clock.monotonic() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(clock, 4 * retryMs, signal);
  }
  await rm(files.pidPath, { force: true });
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function lastLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim().split('\n').at(-1) ?? '';
}
