import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { runWith } from '#testing/http-cluster.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plugins-'));
  for (const name of ['one', 'two']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plugin(path: string, mode = 0o755): void {
  writeFileSync(join(folder, path), `#!/bin/sh\necho "$(basename "$0"): $*"\necho warned >&2\nexit 7\n`, { mode });
}

const run = (...args: readonly string[]) =>
  runWith({ PATH: `${join(folder, 'one')}:${join(folder, 'two')}:/usr/bin:/bin` }, args);

test('a plugin runs for the most words that name it, with the rest as its arguments, and its exit code counts', async () => {
  plugin('one/kubectl-shop');
  plugin('two/kubectl-shop-open');
  plugin('one/kubectl-open_hours');
  assert.deepEqual(await run('shop', 'close', '--now'), {
    code: 7,
    stdout: 'kubectl-shop: close --now\n',
    stderr: 'warned\n',
  });
  assert.equal((await run('shop', 'open', 'wide')).stdout, 'kubectl-shop-open: wide\n');
  assert.equal((await run('open-hours')).stdout, 'kubectl-open_hours: \n');
});

test('commands of kubectl go before plugins, but create takes those for kinds that it does not know', async () => {
  plugin('one/kubectl-options');
  plugin('one/kubectl-create-shop');
  assert.equal((await run('options')).code, 0);
  assert.equal((await run('create', 'shop', 'a')).stdout, 'kubectl-create-shop: a\n');
});

test('what is no command and no plugin is refused, and so are flags before a plugin', async () => {
  plugin('one/kubectl-shut', 0o644);
  assert.match((await run('shut')).stderr, /^error: unknown command "shut" for "kubectl"/);
  assert.equal((await run('--v=1', 'shut')).stderr, 'Error: flags cannot be placed before plugin name: --v=1\n');
});

test('plugin list warns of those that will not run', async () => {
  plugin('one/kubectl-shop');
  plugin('two/kubectl-shop');
  plugin('two/kubectl-get', 0o644);
  const { code, stdout, stderr } = await run('plugin', 'list', '--name-only');
  assert.equal(code, 1);
  assert.equal(stdout, 'The following compatible plugins are available:\n\nkubectl-shop\nkubectl-get\nkubectl-shop\n');
  const two = join(folder, 'two');
  assert.deepEqual(stderr.trimEnd().split('\n'), [
    `  - warning: ${two}/kubectl-get identified as a kubectl plugin, but it is not executable`,
    '  - warning: kubectl-get overwrites existing command: "kubectl get"',
    `  - warning: ${two}/kubectl-shop is overshadowed by a similarly named plugin: ${folder}/one/kubectl-shop`,
    'error: 3 plugin warnings were found',
  ]);
});
