import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '#client/client.ts';
import { Pod, ResourceQuota, Service, ServiceAccount } from '#kinds/generated/handles.ts';
import type { ResourceQuotaSpec } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { startControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';

async function planeWith(t: { after(stop: () => Promise<void>): void }, spec: ResourceQuotaSpec) {
  const plane = await startControlPlane({ nodes: [] });
  t.after(() => plane.stop());
  const { client } = plane;
  await plane.until(
    async () => (await client.list(ServiceAccount, { namespace })).items.length,
    (count) => count > 0,
  );
  await client.create(ResourceQuota, { metadata: { name: 'q', namespace }, spec });
  await plane.until(
    () => usedOf(client),
    (used) => used !== undefined,
  );
  return plane;
}

async function usedOf(client: Client): Promise<Readonly<Record<string, string>> | undefined> {
  return (await client.get(ResourceQuota, { name: 'q', namespace })).status?.used;
}

const pod = (name: string, requests: Record<string, string> = {}) => ({
  metadata: { name, namespace },
  spec: { containers: [{ name: 'a', image: 'a', resources: { requests } }] },
});

test('of many creations at once no more get in than the quota allows', async (t) => {
  const { client, clock } = await planeWith(t, { hard: { pods: '20', 'requests.cpu': '100' } });
  const create = async (index: number): Promise<boolean> => {
    try {
      await client.create(Pod, pod(`p-${index}`, { cpu: '10m' }));
      return true;
    } catch (error) {
      assert.ok(isReason(error, 'Forbidden'), String(error));
      return false;
    }
  };
  const first = await Promise.all(Array.from({ length: 60 }, (_, index) => create(index)));
  await clock.advance(3_000);
  const second = await Promise.all(Array.from({ length: 10 }, (_, index) => create(100 + index)));
  assert.equal([...first, ...second].filter(Boolean).length, 20);
  assert.deepEqual(await usedOf(client), { pods: '20', 'requests.cpu': '200m' });
  await client.delete(Pod, { name: 'p-0', namespace }, { gracePeriodSeconds: 0 });
  await clock.advance(1_000);
  await client.create(Pod, pod('replacement', { cpu: '10m' }));
});

test('a refusal says what was asked, used and allowed', async (t) => {
  const { client } = await planeWith(t, { hard: { pods: '1', 'requests.cpu': '1' } });
  await assert.rejects(client.create(Pod, pod('a')), {
    message: 'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: a',
  });
  await client.create(Pod, pod('a', { cpu: '600m' }));
  await assert.rejects(client.create(Pod, pod('b', { cpu: '600m' })), {
    message:
      'pods "b" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=600m, used: pods=1,requests.cpu=600m, limited: pods=1,requests.cpu=1',
  });
});

test('what comes to nothing is given back, and a dry run takes nothing', async (t) => {
  const { client, clock } = await planeWith(t, { hard: { pods: '2' } });
  await client.create(Pod, pod('a'), { dryRun: true });
  await client.create(Pod, pod('a'));
  await assert.rejects(client.create(Pod, pod('a')), { message: 'pods "a" already exists' });
  await clock.advance(10);
  assert.deepEqual(await usedOf(client), { pods: '1' });
});

test('updates are charged what they add', async (t) => {
  const { client } = await planeWith(t, { hard: { 'services.nodeports': '1', services: '2' } });
  const service = (count: number) => ({
    metadata: { name: 's', namespace },
    spec: {
      type: 'NodePort',
      selector: { a: 'b' },
      ports: Array.from({ length: count }, (_, index) => ({ name: `p${index}`, port: 80 + index })),
    },
  });
  await client.create(Service, service(1));
  await assert.rejects(
    client.patch(Service, { name: 's', namespace }, { type: 'merge', body: { spec: service(2).spec } }),
    {
      message:
        'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1',
    },
  );
});

test('scopes take in the pods that they name', async (t) => {
  const { client } = await planeWith(t, { hard: { pods: '0' }, scopes: ['BestEffort'] });
  await assert.rejects(client.create(Pod, pod('a')), /exceeded quota/);
  await client.create(Pod, pod('b', { cpu: '1m' }));
});
