#!/bin/sh
':' /* Up to the end of this comment the lines are for the shell, the rest of the file is for Node.

# Room for what requests leave behind: enough that a start collects nothing. Only flags that leave Node's own compiled code
# good stand here; src/cmd/heap.ts has another.
flags='--min-semi-space-size=8 --max-semi-space-size=16'
# Memory that one thread gave back is there for the others: glibc otherwise keeps as many pools as there are threads.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"

self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in /?*) self=$link ;; ?*) self=${self%/?*}/$link ;; esac
done
root=${self%/?*}/..
case $0 in kubectl | *[/]kubectl) set -- kubectl "$@" ;; esac

# A cluster starts from a snapshot of the loaded program, once one has been taken: docs/adr/start-snapshot.md. The key says
# of which Node; both must be this user's own, for they are run. The snapshot was taken with --expose-gc: compiled code is
# good only where the flags are the same.
if [ "$1" = up ] && [ -r "$root/dist/release" ]; then
  read -r release <"$root/dist/release"
  snapshots=${XDG_CACHE_HOME:-$HOME/.cache}/proa/$release
  if [ -O "$snapshots/snapshot" ] && [ -O "$snapshots/key" ]; then
    { read -r node; read -r stamp; } <"$snapshots/key"
    if [ "$(LC_ALL=C stat -L -c '%d %i %s %Z' "$node" 2>&1)" = "$stamp" ]; then
      exec "$node" --expose-gc $flags --snapshot-blob "$snapshots/snapshot" "$root/bin/proa.js" "$@"
    fi
  fi
  export PROA_SNAPSHOTS="$snapshots"
fi
exec node $flags "$root/bin/proa.js" "$@"
*/

// Finds a Node that can run Proa: this one if it is new enough, else the one that came along with the package.
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestMajor = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bundle = join(root, 'dist', 'proa.js');
const entry = existsSync(bundle) ? bundle : join(root, 'src', 'cmd', 'proa.ts');

// Called `kubectl`, through a link that Node was given, it is kubectl.
if (basename(process.argv[1]) === 'kubectl') process.argv.splice(2, 0, 'kubectl');
if (Number(process.versions.node.split('.')[0]) >= oldestMajor) {
  // Compiled once, then read back: half of a warm start would go into compiling otherwise. Where only this user writes,
  // since what is read back is run.
  module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'proa'));
  process.argv[1] = entry;
  await import(entry);
} else {
  const { spawn } = await import('node:child_process');
  const child = spawn(bundledNode(), [...process.execArgv, entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

function bundledNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
  } catch {
    return fail(`Node ${oldestMajor} is needed, this is ${process.version}, and there is no package ${name} here: install Node ${oldestMajor}`);
  }
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
