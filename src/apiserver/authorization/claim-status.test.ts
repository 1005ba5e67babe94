import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterRole, ClusterRoleBinding, ResourceClaim } from '#kinds/generated/handles.ts';
import type { ResourceClaim as Claim } from '#kinds/generated/types/resource_v1.ts';
import { startApiServer } from '#testing/cluster.ts';
import type { UserInfo } from '../registry/operation.ts';

test('a driver tells of its devices on its own node, and binds no claim', async () => {
  const api = await startApiServer();
  const { client, server } = api;
  const metadata = { name: 'claim', namespace: 'default' };
  const requests = [{ name: 'r', exactly: { deviceClassName: 'c' } }];
  const claim = await client.create(ResourceClaim, { metadata, spec: { devices: { requests } } } as Claim);
  const onOne = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['one'] }] }] };
  const results = [{ request: 'r', driver: 'd.example.com', pool: 'p', device: 'x' }];
  const allocation = { nodeSelector: onOne, devices: { results } };
  const allocated = await client.updateStatus(ResourceClaim, { ...claim, status: { allocation } } as Claim);
  const rules = [
    { apiGroups: ['resource.k8s.io'], resources: ['resourceclaims/status'], verbs: ['update'] },
    {
      apiGroups: ['resource.k8s.io'],
      resources: ['resourceclaims/driver'],
      resourceNames: ['d.example.com'],
      verbs: ['associated-node:update'],
    },
  ];
  await client.create(ClusterRole, { metadata: { name: 'driver' }, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'driver' };
  const subjects = [{ kind: 'ServiceAccount', name: 'driver', namespace: 'default' }];
  await client.create(ClusterRoleBinding, { metadata: { name: 'driver' }, roleRef, subjects });
  const driverOn = (node: string): UserInfo => ({
    name: 'system:serviceaccount:default:driver',
    groups: ['system:authenticated'],
    extra: { 'authentication.kubernetes.io/node-name': [node] },
  });
  const write = (user: UserInfo, status: object) =>
    server.execute({
      verb: 'update',
      resource: server.resources.of(ResourceClaim),
      subresource: 'status',
      namespace: 'default',
      name: 'claim',
      user,
      options: {},
      body: structuredClone({ ...allocated, metadata: { ...allocated.metadata, resourceVersion: undefined }, status }),
      signal: new AbortController().signal,
      warn: () => {},
    });
  const devices = [{ driver: 'd.example.com', pool: 'p', device: 'x', data: { a: 1 } }];
  await assert.rejects(
    write(driverOn('two'), { ...allocated.status, devices }),
    /cannot arbitrary-node:update resource "resourceclaims\/driver"/,
  );
  await write(driverOn('one'), { ...allocated.status, devices });
  await assert.rejects(write(driverOn('one'), { devices }), /cannot update resource "resourceclaims\/binding"/);
  await api.stop();
});
