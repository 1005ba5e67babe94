import { execFile } from 'node:child_process';

/** What a command may print before it is stopped. */
const maxOutputBytes = 64 * 1024 * 1024;

/** Runs a program to its end and returns its standard output. Rejects with what it said on stderr. */
export function runCommand(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const path = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`;
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: maxOutputBytes, env: { ...process.env, PATH: path }, ...(signal && { signal }) };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (signal?.aborted) reject(signal.reason);
      else if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${stderr.trim().slice(0, 500) || error.message}`));
    });
  });
}
