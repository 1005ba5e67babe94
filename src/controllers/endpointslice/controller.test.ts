import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  EndpointSlice as EndpointSliceKind,
  Endpoints as EndpointsKind,
  Pod as PodKind,
  Service as ServiceKind,
} from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane({ ready: (pod) => pod.metadata.labels?.['slow'] === undefined });
});

after(() => plane.stop());

function pod(name: string, labels: Readonly<Record<string, string>>): Pod {
  const ports = [{ name: 'web', containerPort: 8080 }];
  return { metadata: { name, namespace, labels }, spec: { containers: [{ name: 'web', image: 'v1', ports }] } };
}

async function slicesOf(service: string) {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  return (await plane.client.list(EndpointSliceKind, { namespace, labelSelector })).items;
}

test('a service lists its pods with their named port, in slices and in endpoints', async () => {
  const { client } = plane;
  await client.create(ServiceKind, {
    metadata: { name: 'web', namespace },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
  });
  await client.create(PodKind, pod('one', { app: 'web' }));
  const [slice] = await plane.until(
    () => slicesOf('web'),
    ([first]) => first?.endpoints?.[0]?.conditions?.ready === true,
  );
  assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
  assert.equal(slice?.endpoints?.[0]?.targetRef?.name, 'one');
  assert.equal(slice?.metadata.ownerReferences?.[0]?.kind, 'Service');
  const endpoints = await client.get(EndpointsKind, { name: 'web', namespace });
  assert.equal(endpoints.subsets?.[0]?.addresses?.length, 1);
  assert.deepEqual(endpoints.subsets?.[0]?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
});

test('a service without pods has one empty slice, and loses it with the service', async () => {
  const { client } = plane;
  await client.create(ServiceKind, {
    metadata: { name: 'lonely', namespace },
    spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] },
  });
  const slices = await plane.until(
    () => slicesOf('lonely'),
    ({ length }) => length === 1,
  );
  assert.deepEqual(slices[0]?.endpoints, []);
  await client.delete(ServiceKind, { name: 'lonely', namespace });
  await plane.until(
    () => slicesOf('lonely'),
    ({ length }) => length === 0,
  );
  const endpoints = () => client.list(EndpointsKind, { namespace, fieldSelector: 'metadata.name=lonely' });
  await plane.until(endpoints, ({ items }) => items.length === 0);
});

test('endpoints that a user writes are mirrored into slices', async () => {
  const { client } = plane;
  await client.create(ServiceKind, { metadata: { name: 'outside', namespace }, spec: { ports: [{ port: 80 }] } });
  await client.create(EndpointsKind, {
    metadata: { name: 'outside', namespace },
    subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 8080, protocol: 'TCP' }] }],
  });
  const [slice] = await plane.until(
    () => slicesOf('outside'),
    ({ length }) => length === 1,
  );
  assert.deepEqual(
    slice?.endpoints?.map(({ addresses }) => addresses),
    [['192.0.2.1']],
  );
  assert.equal(
    slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
    'endpointslicemirroring-controller.k8s.io',
  );
});
