import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Deployment, Namespace, Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import type { PodSpec } from '#kinds/generated/types/core_v1.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';

const namespace = 'secured';

async function secured(t: TestContext, labels: Record<string, string>): Promise<TestApiServer> {
  const api = await startApiServer();
  t.after(() => api.stop());
  await api.client.create(Namespace, { metadata: { name: namespace, labels: prefixed(labels) }, spec: {} });
  await api.client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  return api;
}

const prefixed = (labels: Record<string, string>) =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]));

const pod = (spec: Partial<PodSpec> = {}) => ({
  metadata: { name: 'p', namespace },
  spec: { containers: [{ name: 'c', image: 'a' }], ...spec },
});

test('a restricted namespace tells everything that a plain pod lacks', async (t) => {
  const { client } = await secured(t, { enforce: 'restricted' });
  await assert.rejects(client.create(Pod, pod()), {
    message:
      'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  });
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  await client.create(
    Pod,
    pod({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ name: 'c', image: 'a', securityContext }],
    }),
  );
});

test('what a standard asks depends on its version', async (t) => {
  const { client } = await secured(t, { enforce: 'baseline', 'enforce-version': 'v1.26' });
  const sysctl = 'net.ipv4.ip_local_reserved_ports';
  const wanted = pod({ securityContext: { sysctls: [{ name: sysctl, value: '1' }] } });
  await assert.rejects(client.create(Pod, wanted), {
    message: `pods "p" is forbidden: violates PodSecurity "baseline:v1.26": forbidden sysctls (${sysctl})`,
  });
  const labels = prefixed({ 'enforce-version': 'v1.27' });
  await client.patch(Namespace, { name: namespace }, { type: 'merge', body: { metadata: { labels } } });
  await client.create(Pod, wanted);
});

test('labels that name no level or version are refused', async (t) => {
  const { client } = await secured(t, {});
  const labels = prefixed({ enforce: 'strict', 'warn-version': '1.2' });
  await assert.rejects(
    client.patch(Namespace, { name: namespace }, { type: 'merge', body: { metadata: { labels } } }),
    {
      message:
        'Namespace "secured" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"]',
    },
  );
});

test('pods that a stricter level would refuse are warned about, and so are templates', async (t) => {
  const { client, server } = await secured(t, {});
  const warnings: string[] = [];
  await client.create(Pod, pod({ hostNetwork: true }));
  const { resources } = server;
  await server.execute({
    verb: 'patch',
    resource: resources.of(Namespace),
    subresource: '',
    namespace: '',
    name: namespace,
    user: { name: 'admin', groups: ['system:masters'] },
    options: { patchType: 'merge' },
    body: { metadata: { labels: prefixed({ enforce: 'baseline' }) } },
    signal: new AbortController().signal,
    warn: (text) => warnings.push(text),
  });
  const template = { metadata: { labels: { a: 'b' } }, spec: pod({ hostPID: true }).spec };
  await server.execute({
    verb: 'create',
    resource: resources.of(Deployment),
    subresource: '',
    namespace,
    name: '',
    user: { name: 'admin', groups: ['system:masters'] },
    options: {},
    body: { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } },
    signal: new AbortController().signal,
    warn: (text) => warnings.push(text),
  });
  assert.deepEqual(warnings, [
    'existing pods in namespace "secured" violate the new PodSecurity enforce level "baseline:latest"',
    'p: host namespaces',
    'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  ]);
});

test('what was judged is counted', async (t) => {
  const { client, server } = await secured(t, { enforce: 'baseline', warn: 'restricted', 'warn-version': 'v1.99' });
  await client.create(Pod, pod());
  await assert.rejects(client.create(Pod, pod({ hostPID: true })), { code: 403 });
  const counted = server.registry.admission.metrics.render().match(/^pod_security_evaluations_total\{.*$/gm);
  const labels = (decision: string, mode: string, policy: string) =>
    `pod_security_evaluations_total{decision="${decision}",mode="${mode}",${policy},request_operation="create",resource="pod",subresource=""} 1`;
  const baseline = 'policy_level="baseline",policy_version="latest"';
  assert.deepEqual(counted, [
    labels('allow', 'enforce', baseline),
    labels('deny', 'warn', 'policy_level="restricted",policy_version="future"'),
    labels('deny', 'enforce', baseline),
  ]);
});
