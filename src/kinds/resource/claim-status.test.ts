import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResourceClaim } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

test('a claim is given devices for what it asked, and of devices it gave back nothing more is told', async (t) => {
  const { client, ...api } = await startApiServer();
  t.after(() => api.stop());
  const claim = await client.create(ResourceClaim, {
    metadata: { name: 'c', namespace: 'default' },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } },
  });
  const device = { driver: 'a.example.com', pool: 'p', device: 'd' };
  const given = (request: string) => ({ allocation: { devices: { results: [{ request, ...device }] } } });
  await assert.rejects(client.updateStatus(ResourceClaim, { ...claim, status: given('other') }), {
    message: /results\[0\].request: Invalid value: "other": must be the name of a request in the claim/,
  });
  const told = await client.updateStatus(ResourceClaim, {
    ...claim,
    status: { ...given('gpu'), devices: [device] },
  });
  assert.deepEqual(told.status?.devices, [device]);
  const returned = await client.updateStatus(ResourceClaim, { ...told, status: { devices: [device] } });
  assert.equal(returned.status?.devices, undefined);
});
