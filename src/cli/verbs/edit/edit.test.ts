import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { type HttpCluster, type KubectlOutcome, runWith, startHttpCluster } from '#testing/http-cluster.ts';
import { lastApplied, lastAppliedAnnotation } from '../../manifests/last-applied.ts';

let cluster: HttpCluster;
before(async () => {
  cluster = await startHttpCluster({ nodes: 0 });
});
after(() => cluster.stop());

const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'edited' }, data: { a: '1' } };

/** Runs kubectl with an editor that does this to the file. */
const editing = (sed: string, ...args: readonly string[]): Promise<KubectlOutcome> =>
  runWith({ KUBECONFIG: cluster.kubeconfig, KUBE_EDITOR: `sed -i '${sed}'` }, args);

const live = () => cluster.client.get(ConfigMap, { namespace: 'default', name: 'edited' });

test('an edit changes the object, that of what was applied last only its annotation', async () => {
  await cluster.kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(manifest) });
  assert.deepEqual(await editing('s/a: "1"/a: "2"/', 'edit', 'cm/edited'), {
    code: 0,
    stdout: 'configmap/edited edited\n',
    stderr: '',
  });
  const { stdout } = await editing('s/a: "1"/b: "3"/', 'apply', 'edit-last-applied', 'cm/edited');
  assert.equal(stdout, 'configmap/edited edited\n');
  const { data, metadata } = await live();
  assert.deepEqual(data, { a: '2' });
  assert.deepEqual(lastApplied({ metadata } as never)?.['data'], { b: '3' });
});

test('an edit that changes nothing, empties the file or keeps a mistake leaves the object alone', async () => {
  const before = await live();
  assert.equal((await editing('s/x/x/', 'edit', 'cm/edited')).stderr, 'Edit cancelled, no changes made.\n');
  assert.equal((await editing('1,$d', 'edit', 'cm/edited')).stderr, 'Edit cancelled, saved file was empty.\n');
  const { code, stderr } = await editing('s/^data:.*/data: {/', 'edit', 'cm/edited');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: configmaps "edited" is invalid\nA copy of your changes .*\nerror: Edit cancelled, no valid changes were saved.\n$/,
  );
  assert.deepEqual(await live(), before);
  const [, kept = ''] = /"(\/.*)"/.exec(stderr) ?? [];
  await rm(dirname(kept), { recursive: true });
});

test('what was applied last is set from a file, and made only when that is asked for', async () => {
  await cluster.kubectl(['create', 'cm', 'created']);
  const set = (...more: readonly string[]) =>
    cluster.kubectl(['apply', 'set-last-applied', '-f', '-', ...more], {
      stdin: JSON.stringify({ ...manifest, metadata: { name: 'created' } }),
    });
  assert.match((await set()).stderr, /^error: no last-applied-configuration annotation found on resource: created, to/);
  assert.equal((await set('--create-annotation')).stdout, 'configmap/created configured\n');
  assert.equal((await set()).stdout, 'set-last-applied created: no changes required.\n');
  const { metadata } = await cluster.client.get(ConfigMap, { namespace: 'default', name: 'created' });
  assert.match(metadata.annotations?.[lastAppliedAnnotation] ?? '', /^{"apiVersion":"v1","data":{"a":"1"},/);
});
