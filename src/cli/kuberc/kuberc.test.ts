import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { runWith } from '#testing/http-cluster.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kuberc-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const run = (...args: readonly string[]) => runWith({ HOME: home }, args);
const created = ['create', 'configmap', 'made', '--dry-run=client'];

test('defaults stand in for flags that a command line does not set', async () => {
  await run('kuberc', 'set', '--section=defaults', '--command=create configmap', '--option=output=name');
  assert.equal((await run(...created)).stdout, 'configmap/made\n');
  assert.match((await run(...created, '-o', 'yaml')).stdout, /^apiVersion: v1\n/);
  const off = await runWith({ HOME: home, KUBERC: 'off' }, created);
  assert.equal(off.stdout, 'configmap/made created (dry run)\n');
});

test('an alias is a command with arguments before and behind those given, and flags of its own', async () => {
  const set = ['kuberc', 'set', '--section=aliases', '--name=mk', '--command=create configmap'];
  await run(...set, '--appendarg=--dry-run=client', '--option=output=name');
  assert.equal((await run('mk', 'made')).stdout, 'configmap/made\n');
  assert.equal((await run(...set)).stderr, 'error: alias "mk" already exists, use --overwrite to replace\n');
  await run(...set, '--overwrite', '--prependarg=first');
  assert.equal((await run('mk')).stdout, 'configmap/first\n');
});

test('preferences are made for those who want them', async () => {
  const { stdout } = await runWith({ HOME: home }, ['kuberc', 'view'], { stdin: 'y\n' });
  const path = join(home, '.kube', 'kuberc');
  assert.match(stdout, new RegExp(`^kuberc file not found at ${path}\nWould you like .*: Updated ${path}\n$`));
  assert.match(
    readFileSync(path, 'utf8'),
    /command: delete\n {2}options:\n {2}- default: "true"\n {4}name: interactive\n/,
  );
});

test('preferences that cannot be followed end every command, unreadable ones only where they were asked for', async () => {
  mkdirSync(join(home, '.kube'));
  const write = (text: string): void => writeFileSync(join(home, '.kube', 'kuberc'), text);
  const preference = 'apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n';
  write(`${preference}aliases: [{name: a-b, command: get}]`);
  assert.equal(
    (await run('options')).stderr,
    'error occurred while applying preferences invalid alias name, can only include alphabetical characters\n',
  );
  write('a: b');
  const { code, stderr } = await run('options');
  assert.equal(code, 0);
  assert.match(stderr, /^kuberc: no preferences loaded from .*: no valid preferences found/);
  assert.equal((await run('options', `--kuberc=${join(home, '.kube', 'kuberc')}`)).code, 1);
});
