import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ClusterTrustBundle,
  ConfigMap,
  Event,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  PriorityClass,
  Service,
  ServiceAccount,
  StorageClass,
} from '#kinds/generated/handles.ts';
import type { PodSpec } from '#kinds/generated/types/core_v1.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import { createAuthority } from '../certificates/authority.ts';
import type { AdmissionOptions } from './plugin.ts';

const namespace = 'default';

async function serverWith(t: TestContext, admission: AdmissionOptions): Promise<TestApiServer> {
  const api = await startApiServer({ admission });
  t.after(() => api.stop());
  await api.client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  return api;
}

const pod = (name: string, spec: Partial<PodSpec> = {}) => ({
  metadata: { name, namespace },
  spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec },
});

test('plugins are enabled and disabled by name', async (t) => {
  await assert.rejects(startApiServer({ admission: { enable: ['Nothing'] } }), /"Nothing" is unknown/);
  const api = await serverWith(t, { enable: ['AlwaysPullImages', 'NamespaceAutoProvision'], disable: ['Priority'] });
  const created = await api.client.create(
    Pod,
    pod('p', { containers: [{ name: 'a', image: 'a', imagePullPolicy: 'Never' }] }),
  );
  assert.equal(created.spec.containers[0]?.imagePullPolicy, 'Always');
  assert.equal(created.spec.priority, undefined);
  await api.client.create(ConfigMap, { metadata: { name: 'c', namespace: 'new' } });
  assert.equal((await api.client.get(Namespace, { name: 'new' })).status?.phase, 'Active');
});

test('namespaces choose the nodes and tolerations of their pods', async (t) => {
  const { client } = await serverWith(t, {
    enable: ['PodNodeSelector', 'PodTolerationRestriction', 'ExtendedResourceToleration'],
    configurations: { PodTolerationRestriction: { whitelist: [{ operator: 'Exists', effect: 'NoExecute' }] } },
  });
  const annotations = {
    'scheduler.alpha.kubernetes.io/node-selector': 'disk=ssd',
    'scheduler.alpha.kubernetes.io/tolerationsWhitelist':
      '[{"key":"team","operator":"Exists"},{"operator":"Exists","effect":"NoExecute"}]',
    'scheduler.alpha.kubernetes.io/defaultTolerations':
      '[{"key":"team","operator":"Equal","value":"a","effect":"NoSchedule"}]',
  };
  await client.patch(Namespace, { name: namespace }, { type: 'merge', body: { metadata: { annotations } } });
  const created = await client.create(Pod, pod('p'));
  assert.deepEqual(created.spec.nodeSelector, { disk: 'ssd' });
  assert.deepEqual(created.spec.tolerations?.[0], { key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' });
  await assert.rejects(client.create(Pod, pod('q', { nodeSelector: { disk: 'tape' } })), {
    message: 'pods "q" is forbidden: pod node label selector conflicts with its namespace node label selector',
  });
  const tolerations = [{ key: 'other', operator: 'Exists' }];
  await assert.rejects(client.create(Pod, pod('r', { tolerations })), /conflict with its namespace whitelist/);
});

test('how long pods tolerate a lost node is an option', async (t) => {
  const { client } = await serverWith(t, { unreachableTolerationSeconds: 7 });
  const { spec } = await client.create(Pod, pod('p'));
  assert.deepEqual(spec.tolerations, [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 7 },
  ]);
});

test('a configuration file speaks to plugins, directly or through files of theirs', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'admission-'));
  t.after(() => rm(folder, { recursive: true }));
  const configFile = join(folder, 'admission.yaml');
  await writeFile(join(folder, 'events.yaml'), 'limits: [{type: Server, qps: 1, burst: 1}]');
  await writeFile(
    configFile,
    `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: EventRateLimit
  path: events.yaml
- name: PodSecurity
  configuration:
    defaults: {enforce: baseline}
    exemptions: {namespaces: [kube-system]}
`,
  );
  const { client } = await serverWith(t, { enable: ['EventRateLimit'], configFile });
  await client.create(Event, event('a'));
  await assert.rejects(client.create(Event, event('b')), /limit reached on type Server/);
  await assert.rejects(client.create(Pod, pod('p', { hostNetwork: true })), /violates PodSecurity "baseline:latest"/);
  await assert.rejects(startApiServer({ admission: { configFile: join(folder, 'events.yaml') } }), /no kind ""/);
});

const event = (name: string) => ({
  metadata: { name, namespace },
  involvedObject: { kind: 'Pod', name: 'p', namespace },
  reason: 'A',
  message: 'b',
  type: 'Normal',
});

test('events beyond the limit are put off', async (t) => {
  const limits = [{ type: 'Namespace', qps: 1, burst: 2 }];
  const { client } = await serverWith(t, {
    enable: ['EventRateLimit'],
    configurations: { EventRateLimit: { limits } },
  });
  await client.create(Event, event('a'));
  await client.create(Event, event('b'));
  await assert.rejects(client.create(Event, event('c')), {
    message: 'limit reached on type Namespace for key default',
    code: 429,
  });
});

test('owners are given only by who may delete the object, and blocked only by who may touch their finalizers', async (t) => {
  const api = await serverWith(t, { enable: ['OwnerReferencesPermissionEnforcement'] });
  const { client } = api;
  const owner = await client.create(ConfigMap, { metadata: { name: 'owner', namespace } });
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'delete'] }];
  await client.create(ClusterRole, { metadata: { name: 'writer' }, rules });
  await client.create(ClusterRoleBinding, {
    metadata: { name: 'writer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'writer' },
    subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  const owned = (name: string, blockOwnerDeletion: boolean) => ({
    metadata: {
      name,
      namespace,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid!, blockOwnerDeletion },
      ],
    },
  });
  const jane = api.as({ user: 'jane' });
  await jane.create(ConfigMap, owned('free', false));
  await assert.rejects(
    jane.create(ConfigMap, owned('bound', true)),
    /cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on/,
  );
});

test('claims get the newest default class, grow only where it allows that, and stay while they are used', async (t) => {
  const { client } = await serverWith(t, {});
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  await client.create(StorageClass, { metadata: { name: 'fast', annotations }, provisioner: 'example.com/fast' });
  const claim = await client.create(PersistentVolumeClaim, {
    metadata: { name: 'c', namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  assert.equal(claim.spec?.storageClassName, 'fast');
  assert.deepEqual(claim.metadata.finalizers, ['kubernetes.io/pvc-protection']);
  await client.updateStatus(PersistentVolumeClaim, { ...claim, status: { phase: 'Bound' } });
  const body = { spec: { resources: { requests: { storage: '2Gi' } } } };
  await assert.rejects(
    client.patch(PersistentVolumeClaim, { name: 'c', namespace }, { type: 'merge', body }),
    /the storageclass that provisions the pvc must support resize/,
  );
  await client.patch(StorageClass, { name: 'fast' }, { type: 'merge', body: { allowVolumeExpansion: true } });
  await client.patch(PersistentVolumeClaim, { name: 'c', namespace }, { type: 'merge', body });
});

test('there is one default priority, and no service takes addresses that it may not', async (t) => {
  const { client } = await serverWith(t, { enable: ['DenyServiceExternalIPs'] });
  await client.create(PriorityClass, { metadata: { name: 'a' }, value: 1, globalDefault: true });
  await assert.rejects(client.create(PriorityClass, { metadata: { name: 'b' }, value: 2, globalDefault: true }), {
    message:
      'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as default. Only one default can exist',
  });
  const spec = { ports: [{ port: 80 }], externalIPs: ['192.0.2.1'] };
  await assert.rejects(client.create(Service, { metadata: { name: 's', namespace }, spec }), {
    message: 'services "s" is forbidden: Use of external IPs is denied by admission control',
  });
});

/** For `O=dev, CN=ann`, with a key that nobody kept. */
const certificateRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIHWMH4CAQAwHDEMMAoGA1UECgwDZGV2MQwwCgYDVQQDDANhbm4wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARIHYocpNH0LZC/cO0SbNXRk0/NWuryZ+iC+nyK70IxCW4OawpPam0BCLZvcpRECIl3z6QFSffjHSb2n5cnoBxMoAAwCgYIKoZIzj0EAwIDSAAwRQIhAIio7wC0S9UPmAs0YVwZIiP5zl+Nq0T4d2P0Geq+7bBiAiB9shrmYZG5fUpVk8mJeyU9Br8PGMGCjIOJy6i7cmYm1Q==
-----END CERTIFICATE REQUEST-----
`;

test('certificates are approved only by who may do so for their signer', async (t) => {
  const api = await serverWith(t, {});
  const { client } = api;
  const rules = [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests', 'certificatesigningrequests/approval'],
      verbs: ['*'],
    },
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['signers'],
      resourceNames: ['example.com/*'],
      verbs: ['approve'],
    },
  ];
  await client.create(ClusterRole, { metadata: { name: 'approver' }, rules });
  await client.create(ClusterRoleBinding, {
    metadata: { name: 'approver' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'approver' },
    subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  const jane = api.as({ user: 'jane' });
  const approve = async (signerName: string): Promise<void> => {
    const name = signerName.replace('/', '-');
    const request = Buffer.from(certificateRequest);
    const made = await client.create(CertificateSigningRequest, {
      metadata: { name },
      spec: { signerName, usages: ['client auth'], request: request.toString('base64') },
    });
    const conditions = [{ type: 'Approved', status: 'True', reason: 'a', message: 'b' }];
    await jane.updateSubresource(CertificateSigningRequest, { name }, 'approval', { ...made, status: { conditions } });
  };
  await approve('example.com/one');
  await assert.rejects(approve('example.org/two'), {
    message:
      'certificatesigningrequests.certificates.k8s.io "example.org-two" is forbidden: user not permitted to approve requests with signerName "example.org/two"',
  });
});

test('trust bundles hold authorities, under the name of a signer that their author may attest for', async (t) => {
  const api = await serverWith(t, {});
  const { certificate } = await createAuthority('anchor', 0);
  const bundle = (name: string, trustBundle: string, signerName?: string) => ({
    metadata: { name },
    spec: { trustBundle, ...(signerName === undefined ? {} : { signerName }) },
  });
  await api.client.create(ClusterTrustBundle, bundle('plain', certificate));
  await api.client.create(ClusterTrustBundle, bundle('example.com:one:a', certificate, 'example.com/one'));
  await assert.rejects(
    api.client.create(ClusterTrustBundle, bundle('b', `${certificate}${certificate}`, 'example.com/one')),
    {
      message:
        'ClusterTrustBundle.certificates.k8s.io "b" is invalid: [metadata.name: Invalid value: "b": ClusterTrustBundle for signerName example.com/one must be named with prefix example.com:one:, spec.trustBundle: Invalid value: "<value omitted>": duplicate trust anchor (indices [0 1])]',
    },
  );
});

test('a running pod does not grow beyond its node', async (t) => {
  const { client } = await serverWith(t, {});
  const allocatable = { cpu: '1', memory: '1Gi', pods: '10' };
  const node = await client.create(Node, { metadata: { name: 'n' }, spec: {} });
  await client.updateStatus(Node, { ...node, status: { allocatable, capacity: allocatable } });
  const sized = (cpu: string) => [{ name: 'a', image: 'a:1', resources: { requests: { cpu }, limits: { cpu } } }];
  const made = await client.create(Pod, pod('p', { nodeName: 'n', containers: sized('500m') }));
  const resize = (cpu: string) =>
    client.updateSubresource(Pod, { name: 'p', namespace }, 'resize', {
      ...made,
      spec: { ...made.spec, containers: [{ ...made.spec.containers[0], ...sized(cpu)[0] }] },
    });
  await assert.rejects(resize('2'), {
    message:
      'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 2000, allocatable: 1000',
  });
  await resize('1');
});
