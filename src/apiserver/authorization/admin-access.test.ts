import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Namespace, ResourceClaim, ResourceClaimTemplate } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

test('administrators get at devices only from namespaces that allow it', async (t) => {
  const { client, ...api } = await startApiServer();
  t.after(() => api.stop());
  const labels = { 'resource.kubernetes.io/admin-access': 'true' };
  await client.create(Namespace, { metadata: { name: 'admins', labels }, spec: {} });
  const spec = {
    devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'gpu', adminAccess: true } }] },
  };
  const message =
    /"c" is invalid: spec.devices.requests\[0\].adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io\/admin-access: true` label on the containing namespace$/;
  const claim = (namespace: string) => ({ metadata: { name: 'c', namespace }, spec });
  const template = (namespace: string) => ({ metadata: { name: 'c', namespace }, spec: { spec } });
  await assert.rejects(client.create(ResourceClaim, claim('default')), { message });
  await assert.rejects(client.create(ResourceClaimTemplate, template('default')), { message });
  await client.create(ResourceClaim, claim('admins'));
  await client.create(ResourceClaimTemplate, template('admins'));
});
