import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '#client/client.ts';
import {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  RoleBinding,
  Secret,
  ServiceAccount,
} from '#kinds/generated/handles.ts';
import type { SubjectAccessReview } from '#kinds/generated/types/authorization_v1.ts';
import { ApiError, isReason } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';
import { startPeer, writePeerConfig } from '#testing/peers.ts';
import { type AccessAttributes, type Authorizer, resourceAttributes } from './authorizer.ts';

const namespace = 'default';

function isForbidden(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ApiError && error.reason === 'Forbidden' && pattern.test(error.message);
}

async function grant(client: Client, user: string, rules: readonly object[]): Promise<void> {
  await client.create(ClusterRole, { metadata: { name: user }, rules } as never);
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user };
  const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
  await client.create(ClusterRoleBinding, { metadata: { name: user }, roleRef, subjects });
}

test('nobody grants what they do not have, unless they may escalate or bind', async () => {
  const { client, as, stop } = await startApiServer();
  const own = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
  const roles = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles', 'rolebindings'], verbs: ['*'] };
  await grant(client, 'ann', [...own, { ...roles, verbs: ['create', 'update', 'patch'] }]);
  await grant(client, 'bob', [{ ...roles, verbs: ['create', 'escalate', 'bind'] }]);
  const ann = as({ user: 'ann' });
  await ann.create(ClusterRole, { metadata: { name: 'fine' }, rules: own });
  const more = [{ apiGroups: ['', 'apps'], resources: ['pods'], verbs: ['get', 'delete'] }];
  await assert.rejects(
    ann.create(ClusterRole, { metadata: { name: 'more' }, rules: more }),
    isForbidden(
      /^clusterroles\.rbac\.authorization\.k8s\.io "more" is forbidden: user "ann" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["pods"\], Verbs:\["delete"\]\}\n\{APIGroups:\["apps"\], Resources:\["pods"\], Verbs:\["get" "delete"\]\}$/,
    ),
  );
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const binding = { metadata: { name: 'up', namespace }, roleRef, subjects: [] };
  await assert.rejects(ann.create(RoleBinding, binding), isForbidden(/not currently held/));
  const unknown = { ...binding, roleRef: { ...roleRef, name: 'unheard-of' } };
  await assert.rejects(ann.create(RoleBinding, unknown), (error) => isReason(error, 'NotFound'));
  const bob = as({ user: 'bob' });
  await bob.create(ClusterRole, { metadata: { name: 'more' }, rules: more });
  await bob.create(RoleBinding, binding);
  await stop();
});

test('a node reads what its own pods name, and what mounting their volumes needs', async () => {
  const { client, as, stop } = await startApiServer();
  for (const name of ['one', 'two']) await client.create(Node, { metadata: { name }, spec: {} });
  for (const name of ['used', 'unused', 'pull', 'mount'])
    await client.create(Secret, { metadata: { name, namespace } });
  await client.create(ConfigMap, { metadata: { name: 'used', namespace } });
  await client.create(ServiceAccount, { metadata: { name: 'robot', namespace } });
  const volumeOptions = {
    accessModes: ['ReadWriteOnce'],
    volumeName: 'disk',
    resources: { requests: { storage: '1Gi' } },
  };
  await client.create(PersistentVolumeClaim, { metadata: { name: 'claim', namespace }, spec: volumeOptions } as never);
  const csi = { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { name: 'mount', namespace } };
  const disk = {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    claimRef: { name: 'claim', namespace },
    csi,
  };
  await client.create(PersistentVolume, { metadata: { name: 'disk' }, spec: disk } as never);
  const spec = {
    nodeName: 'one',
    serviceAccountName: 'robot',
    imagePullSecrets: [{ name: 'pull' }],
    containers: [{ name: 'c', image: 'i', envFrom: [{ configMapRef: { name: 'used' } }] }],
    volumes: [
      { name: 'a', secret: { secretName: 'used' } },
      { name: 'b', persistentVolumeClaim: { claimName: 'claim' } },
    ],
  };
  await client.create(Pod, { metadata: { name: 'p', namespace }, spec });
  const [one, two] = ['one', 'two'].map((name) => as({ user: `system:node:${name}`, groups: ['system:nodes'] })) as [
    Client,
    Client,
  ];
  for (const [kind, name] of [
    [Secret, 'used'],
    [Secret, 'pull'],
    [Secret, 'mount'],
    [ConfigMap, 'used'],
    [PersistentVolumeClaim, 'claim'],
  ] as const) {
    await one.get(kind as typeof Secret, { name, namespace });
    await assert.rejects(
      two.get(kind as typeof Secret, { name, namespace }),
      isForbidden(/no relationship found between node 'two' and this object$/),
      name,
    );
  }
  await one.get(PersistentVolume, { name: 'disk' });
  await assert.rejects(one.get(Secret, { name: 'unused', namespace }), isForbidden(/no relationship/));
  await assert.rejects(one.list(Secret, { namespace }), isForbidden(/No Object name found/));
  await assert.rejects(one.list(Pod), isForbidden(/can only list\/watch pods with spec.nodeName field selector/));
  assert.equal((await one.list(Pod, { fieldSelector: 'spec.nodeName=one' })).items.length, 1);
  await assert.rejects(one.get(Node, { name: 'two' }), isForbidden(/only its own Node object/));
  await client.delete(Pod, { name: 'p', namespace }, { gracePeriodSeconds: 0 });
  await assert.rejects(one.get(Secret, { name: 'used', namespace }), isForbidden(/no relationship/));
  await stop();
});

test('a configured webhook decides where its conditions hold, and a changed configuration counts', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'proa-authorization-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  let asked = 0;
  const peer = await startPeer((_path, body) => {
    asked++;
    const review = body as SubjectAccessReview;
    const verb = review.spec.resourceAttributes?.verb;
    return {
      body: {
        ...review,
        status:
          verb === 'get' ? { allowed: true, reason: 'reads are fine' } : { allowed: false, denied: true, reason: 'no' },
      },
    };
  });
  t.after(() => peer.stop());
  const configFile = join(path, 'authorization.json');
  const webhook = {
    subjectAccessReviewVersion: 'v1',
    matchConditionSubjectAccessReviewVersion: 'v1',
    failurePolicy: 'Deny',
    connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: writePeerConfig(join(path, 'config'), peer) },
    matchConditions: [{ expression: "request.resourceAttributes.namespace == 'default'" }],
  };
  const write = (...authorizers: object[]) =>
    writeFileSync(
      configFile,
      JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers }),
    );
  write({ type: 'Webhook', name: 'w', webhook }, { type: 'RBAC', name: 'rbac' });
  const api = await startApiServer({ authorization: { configFile } });
  const user = { name: 'ann', groups: ['system:authenticated'] };
  const ask = (verb: string, inside: string) =>
    decide(api.server.authorizer, resourceAttributes({ user, verb, resource: 'pods', namespace: inside }));
  assert.equal(await ask('get', 'default'), 'allow: reads are fine');
  assert.equal(await ask('get', 'default'), 'allow: reads are fine');
  assert.equal(await ask('delete', 'default'), 'deny: no');
  assert.equal(asked, 2);
  assert.equal(await ask('get', 'elsewhere'), 'noOpinion: ');
  assert.equal(asked, 2, 'conditions spare the webhook');
  write({ type: 'AlwaysAllow', name: 'all' });
  await api.environment.clock.advance(10_000);
  assert.equal(await ask('get', 'elsewhere'), 'allow: ');
  await api.stop();
});

async function decide(authorizer: Authorizer, attributes: AccessAttributes): Promise<string> {
  const { outcome, reason } = await authorizer.authorize(attributes);
  return `${outcome}: ${reason}`;
}
