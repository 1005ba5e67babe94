import { execFile } from 'node:child_process';

/** What a command may print before it is stopped. */
const maxOutputBytes = 16 * 1024 * 1024;

/** Runs a program to its end and returns its standard output. Rejects with the last of what it said on stderr. */
export function runCommand(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { maxBuffer: maxOutputBytes, env: commandEnvironment(), ...(signal === undefined ? {} : { signal }) },
      (error, stdout, stderr) => {
        if (signal?.aborted) reject(signal.reason);
        else if (error === null) resolve(stdout);
        else reject(new Error(`${program}: ${stderr.trim().split('\n').at(-1) || error.message}`));
      },
    );
  });
}

/** The environment with the folders of administrators' programs, which an ordinary login leaves out of PATH. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin` };
}
