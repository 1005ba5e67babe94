import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease, Node, Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

test('a node writes its own node, lease, mirror pods and tokens of its pods, and nothing of another', async () => {
  const { client, as, stop } = await startApiServer({ admission: { enable: ['NodeRestriction'] } });
  const one = as({ user: 'system:node:one', groups: ['system:nodes'] });
  const node = await one.create(Node, {
    metadata: { name: 'one', labels: { 'kubernetes.io/hostname': 'one' } },
    spec: {},
  });
  await client.create(Node, { metadata: { name: 'two' }, spec: {} });
  const labels = { 'node-role.kubernetes.io/control-plane': '' };
  await assert.rejects(
    one.patch(Node, { name: 'two' }, { type: 'merge', body: { spec: { unschedulable: true } } }),
    /not allowed to modify node "two"/,
  );
  await assert.rejects(
    one.patch(Node, { name: 'one' }, { type: 'merge', body: { metadata: { labels } } }),
    /is not allowed to modify labels: node-role.kubernetes.io\/control-plane/,
  );
  await one.patch(Node, { name: 'one' }, { type: 'merge', body: { metadata: { labels: { color: 'blue' } } } });
  await one.create(Lease, { metadata: { name: 'one', namespace: 'kube-node-lease' }, spec: {} });
  await assert.rejects(
    one.create(Lease, { metadata: { name: 'two', namespace: 'kube-node-lease' }, spec: {} }),
    /same name as the requesting node/,
  );
  const mirror = {
    metadata: {
      name: 'static',
      namespace: 'default',
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'one', uid: node.metadata.uid!, controller: true }],
    },
    spec: { nodeName: 'one', containers: [{ name: 'c', image: 'i' }] },
  };
  await one.create(Pod, mirror);
  const stealing = { ...mirror.spec, volumes: [{ name: 'v', secret: { secretName: 'any' } }] };
  await assert.rejects(one.create(Pod, { ...mirror, spec: stealing }), /can not create pods that reference secrets/);
  await client.create(ServiceAccount, { metadata: { name: 'robot', namespace: 'default' } });
  const sources = [{ serviceAccountToken: { path: 'token', audience: 'vault' } }];
  const volumes = [{ name: 'token', projected: { sources } }];
  const pods = await Promise.all(
    ['one', 'two'].map((nodeName) =>
      client.create(Pod, {
        metadata: { name: `on-${nodeName}`, namespace: 'default' },
        spec: { nodeName, serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }], volumes },
      }),
    ),
  );
  const ask = (index: number, audience = 'vault') => {
    const { name, uid } = pods[index]!.metadata;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
    return one.createSubresource(ServiceAccount, { name: 'robot', namespace: 'default' }, 'token', {
      spec: { boundObjectRef, audiences: [audience] },
    });
  };
  await ask(0);
  await assert.rejects(ask(0, 'bank'), /audience "bank" not found in pod spec volume/);
  await assert.rejects(ask(1), /bound to a pod scheduled on a different node/);
  await stop();
});
