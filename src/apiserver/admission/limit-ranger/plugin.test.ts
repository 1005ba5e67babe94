import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LimitRange, PersistentVolumeClaim, Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Container, LimitRangeItem } from '#kinds/generated/types/core_v1.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';

const namespace = 'default';

async function limited(limits: readonly LimitRangeItem[]): Promise<TestApiServer> {
  const api = await startApiServer();
  await api.client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  await api.client.create(LimitRange, { metadata: { name: 'bounds', namespace }, spec: { limits } });
  return api;
}

function podWith(...containers: Omit<Container, 'image'>[]) {
  const spec = { containers: containers.map((container) => ({ ...container, image: 'a' })) };
  return { metadata: { name: 'p', namespace }, spec };
}

test('containers get the defaults of the namespace, and an annotation says so', async (t) => {
  const api = await limited([
    { type: 'Container', default: { cpu: '500m', memory: '1Gi' }, defaultRequest: { cpu: '100m', memory: '1Gi' } },
  ]);
  t.after(() => api.stop());
  const pod = await api.client.create(Pod, podWith({ name: 'a' }, { name: 'b', resources: { limits: { cpu: '1' } } }));
  assert.deepEqual(
    pod.spec.containers.map(({ resources }) => resources),
    [
      { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } },
      { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
    ],
  );
  assert.equal(
    pod.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; memory request for container b; memory limit for container b',
  );
});

test('pods out of bounds are refused with everything that is wrong', async (t) => {
  const api = await limited([
    { type: 'Pod', max: { cpu: '1' } },
    { type: 'Container', min: { memory: '10Mi' }, maxLimitRequestRatio: { cpu: '2' } },
  ]);
  t.after(() => api.stop());
  const resources = { limits: { cpu: '1500m', memory: '20Mi' }, requests: { cpu: '500m', memory: '5Mi' } };
  await assert.rejects(api.client.create(Pod, podWith({ name: 'a', resources })), {
    message:
      'pods "p" is forbidden: [maximum cpu usage per Pod is 1, but limit is 1500m, minimum memory usage per Container is 10Mi, but request is 5Mi, cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000]',
  });
  await assert.rejects(
    api.client.create(Pod, podWith({ name: 'a' })),
    /maximum cpu usage per Pod is 1. {2}No limit is specified/,
  );
});

test('claims stay within their bounds', async (t) => {
  const api = await limited([{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } }]);
  t.after(() => api.stop());
  const claim = (storage: string) => ({
    metadata: { name: 'c', namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  await assert.rejects(api.client.create(PersistentVolumeClaim, claim('3Gi')), {
    message:
      'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  });
  await api.client.create(PersistentVolumeClaim, claim('2Gi'));
});
