import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as yaml from 'js-yaml';
import {
  type ClusterAccess,
  holdsNothingElse,
  kubeconfigText,
  mergeIntoKubeconfig,
  removeFromKubeconfig,
  renewInKubeconfig,
} from './kubeconfig.ts';

const access = (certificate: string): ClusterAccess => ({
  server: 'https://127.0.0.1:6443',
  certificateAuthority: 'authority',
  admin: { certificate, key: 'key' },
});

test('access is added to what a kubeconfig has, renewed in it and taken out again', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proa-kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'config');
  const read = (): Record<string, unknown> => yaml.load(readFileSync(path, 'utf8')) as Record<string, unknown>;

  mergeIntoKubeconfig(path, access('first'));
  assert.deepEqual(read(), yaml.load(kubeconfigText(access('first'))));

  const work = {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: { colors: true },
    clusters: [{ name: 'work', cluster: { server: 'https://work' } }],
    users: [{ name: 'work', user: {} }],
    contexts: [{ name: 'work', context: { cluster: 'work', user: 'work' } }],
    'current-context': 'work',
  };
  writeFileSync(path, yaml.dump(work));
  renewInKubeconfig(path, access('first'));
  assert.deepEqual(read(), work);

  mergeIntoKubeconfig(path, access('first'));
  const own = yaml.load(kubeconfigText(access('second'))) as typeof work;
  assert.equal(read()['current-context'], 'proa');
  writeFileSync(path, yaml.dump({ ...read(), 'current-context': 'work' }));
  renewInKubeconfig(path, access('second'));
  assert.deepEqual(read(), {
    ...work,
    clusters: [...work.clusters, ...own.clusters],
    users: [...work.users, ...own.users],
    contexts: [...work.contexts, ...own.contexts],
  });

  removeFromKubeconfig(path, { certificateAuthority: 'of another' });
  assert.equal((read()['clusters'] as unknown[]).length, 2);
  removeFromKubeconfig(path, access('second'));
  assert.deepEqual(read(), work);
});

test('a context that leads to another cluster is told of when it is replaced, and left alone when that goes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proa-kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'config');
  symlinkSync(join(folder, 'kept-elsewhere'), path);
  writeFileSync(join(folder, 'kept-elsewhere'), '');
  const one = access('one');
  const other: ClusterAccess = { ...one, server: 'https://127.0.0.1:7443', certificateAuthority: 'of another' };
  assert.equal(mergeIntoKubeconfig(path, one), undefined);
  assert.equal(mergeIntoKubeconfig(path, one), undefined);
  assert.equal(mergeIntoKubeconfig(path, other), one.server);
  removeFromKubeconfig(path, one);
  renewInKubeconfig(path, access('renewed'));
  assert.deepEqual(yaml.load(readFileSync(path, 'utf8')), yaml.load(kubeconfigText(other)));
  assert.ok(lstatSync(path).isSymbolicLink(), 'a link stays one');
});

test('only a file that holds nothing but what was written here is written over', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proa-kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'config');
  const written = kubeconfigText(access('first'));
  const holds = (text: string): boolean => {
    writeFileSync(path, text);
    return holdsNothingElse(path);
  };
  assert.ok(holdsNothingElse(path), 'no file');
  assert.ok(holds('') && holds(written));
  const another = '- name: work\n  context: {}\n';
  assert.ok(!holds(`${written}${another}`) && !holds(another) && !holds('clusters: [{'));
});
