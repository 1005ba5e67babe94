import { execFile } from 'node:child_process';

/** What a command may print before it is stopped: a listing of a large nftables table takes some megabytes. */
const maxOutputBytes = 64 * 1024 * 1024;
/** How much of its complaints stands in the error: the beginning names the cause, what follows is seldom news. */
const maxComplaint = 500;

/** Runs a program to its end and returns its standard output. Rejects with what it said on stderr. */
export function runCommand(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const options = { maxBuffer: maxOutputBytes, env: commandEnvironment(), ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (signal?.aborted) reject(signal.reason);
      else if (error === null) resolve(stdout);
      else reject(new Error(`${program}: ${stderr.trim().slice(0, maxComplaint) || error.message}`));
    });
  });
}

/** The environment with the folders of administrators' programs, which an ordinary login leaves out of PATH. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin` };
}
