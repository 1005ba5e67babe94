import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Role, RoleBinding } from '#kinds/generated/handles.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';

let cluster: HttpCluster;
before(async () => {
  cluster = await startHttpCluster({ nodes: 0 });
});
after(() => cluster.stop());

const apiVersion = 'rbac.authorization.k8s.io/v1';
const metadata = { name: 'reader', namespace: 'made' };
const role = (...verbs: readonly string[]): object => ({
  apiVersion,
  kind: 'Role',
  metadata,
  rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
});
const binding = (roleName: string, user: string): object => ({
  apiVersion,
  kind: 'RoleBinding',
  metadata,
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: roleName },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
});

async function reconciled(object: object, ...more: readonly string[]): Promise<string> {
  const { code, stderr } = await cluster.kubectl(['auth', 'reconcile', '-f', '-', ...more], {
    stdin: JSON.stringify(object),
  });
  assert.equal(code, 0, stderr);
  return stderr;
}

test('a role gains what it lacks, with its namespace, and loses the rest only when told to', async () => {
  assert.match(await reconciled(role('get')), /^\treconciliation required create\n\tmissing rules added:\n/);
  assert.equal(await reconciled(role('get')), '');
  const single = (verb: string): string =>
    `\t\t{Verbs:[${verb}] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}\n`;
  assert.equal(
    await reconciled(role('list')),
    `\treconciliation required update\n\tmissing rules added:\n${single('list')}`,
  );
  const verbsNow = async () => (await cluster.client.get(Role, metadata)).rules?.flatMap(({ verbs }) => verbs);
  assert.deepEqual(await verbsNow(), ['get', 'list']);
  assert.equal(
    await reconciled(role('list'), '--remove-extra-permissions'),
    `\treconciliation required update\n\textra rules removed:\n${single('get')}`,
  );
  assert.deepEqual(await verbsNow(), ['list']);
});

test('a binding gains subjects, and is made anew where it leads to another role', async () => {
  await reconciled(binding('reader', 'jane'));
  await reconciled(binding('reader', 'joe'));
  const namesNow = async () => (await cluster.client.get(RoleBinding, metadata)).subjects?.map(({ name }) => name);
  assert.deepEqual(await namesNow(), ['jane', 'joe']);
  assert.equal(await reconciled(binding('writer', 'joe')), '\treconciliation required recreate\n');
  assert.deepEqual(await namesNow(), ['joe']);
});
