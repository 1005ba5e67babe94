import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '#client/client.ts';
import { ClusterRole, ClusterRoleBinding } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

test('a start gives default roles back what they lost, keeps what they gained, and leaves alone what asks for it', async () => {
  const first = await startApiServer();
  const { client, store } = first;
  const scheduler = await client.get(ClusterRole, { name: 'system:kube-scheduler' });
  const extra = { apiGroups: ['example.com'], resources: ['lamps'], verbs: ['get'] };
  await client.update(ClusterRole, { ...scheduler, rules: [extra] });
  const dns = await client.get(ClusterRole, { name: 'system:kube-dns' });
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await client.update(ClusterRole, { ...dns, metadata: { ...dns.metadata, annotations }, rules: [] });
  const binding = await client.get(ClusterRoleBinding, { name: 'system:kube-scheduler' });
  await client.update(ClusterRoleBinding, { ...binding, subjects: [] });
  first.server.stop();
  const second = await startApiServer({ store });
  const rules = (await second.client.get(ClusterRole, { name: 'system:kube-scheduler' })).rules ?? [];
  assert.deepEqual(rules[0], extra);
  assert.ok(rules.length > (scheduler.rules ?? []).length);
  assert.deepEqual((await second.client.get(ClusterRole, { name: 'system:kube-dns' })).rules ?? [], []);
  const { subjects } = await second.client.get(ClusterRoleBinding, { name: 'system:kube-scheduler' });
  assert.deepEqual(
    subjects?.map(({ name }) => name),
    ['system:kube-scheduler'],
  );
  const versions = async ({ client: api }: { readonly client: Client }) => {
    const lists = [await api.list(ClusterRole), await api.list(ClusterRoleBinding)];
    return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.resourceVersion));
  };
  const before = await versions(second);
  second.server.stop();
  const third = await startApiServer({ store });
  assert.deepEqual(await versions(third), before, 'a start that finds all as it should be writes nothing');
  await third.stop();
});
