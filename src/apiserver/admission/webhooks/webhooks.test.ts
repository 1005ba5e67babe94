import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  ConfigMap,
  Deployment,
  MutatingWebhookConfiguration,
  Namespace,
  Service,
  ValidatingWebhookConfiguration,
} from '#kinds/generated/handles.ts';
import type { MutatingWebhook } from '#kinds/generated/types/admissionregistration_v1.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import {
  patchAnswer,
  type ReviewAnswer,
  type ReviewRequest,
  startWebhook,
  type TestWebhook,
} from '#testing/webhook.ts';

const namespace = 'default';
const everyConfigMap = [
  { operations: ['CREATE', 'UPDATE', 'DELETE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
];

async function setUp(
  t: TestContext,
  answer: (request: ReviewRequest, path: string) => ReviewAnswer,
): Promise<{ readonly api: TestApiServer; readonly hook: TestWebhook }> {
  const api = await startApiServer();
  const hook = await startWebhook(answer);
  t.after(async () => {
    await api.stop();
    await hook.stop();
  });
  return { api, hook };
}

function webhook(hook: TestWebhook, name: string, more: Partial<MutatingWebhook> = {}): MutatingWebhook {
  return {
    name: `${name}.example.com`,
    clientConfig: hook.clientConfig(`/${name}`),
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    rules: everyConfigMap,
    ...more,
  };
}

const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace }, data });

test('a webhook is believed by its own certificate as by its authority, as in Go', async (t) => {
  const { api, hook } = await setUp(t, () => ({ allowed: true }));
  const another = await startWebhook(() => ({ allowed: true }));
  t.after(() => another.stop());
  const trusting = ({ certificate }: TestWebhook) => ({
    ...hook.clientConfig(),
    caBundle: Buffer.from(certificate).toString('base64'),
  });
  const { client } = api;
  const configuration = await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'v' },
    webhooks: [webhook(hook, 'judge', { clientConfig: trusting(hook) })],
  });
  await client.create(ConfigMap, map('believed'));
  await client.update(ValidatingWebhookConfiguration, {
    ...configuration,
    webhooks: [webhook(hook, 'judge', { clientConfig: trusting(another) })],
  });
  await assert.rejects(client.create(ConfigMap, map('doubted')), /x509: certificate signed by unknown authority$/);
});

test("a webhook's path is called with single slashes, and none at its end", async (t) => {
  const paths: string[] = [];
  const { api, hook } = await setUp(t, (_, path) => {
    paths.push(path);
    return { allowed: true };
  });
  const { client } = api;
  await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'v' },
    webhooks: [webhook(hook, 'judge', { clientConfig: hook.clientConfig('//judge//maps/') })],
  });
  await client.create(ConfigMap, map('anything'));
  assert.deepEqual(paths, ['/judge/maps?timeout=10s']);
});

test('a webhook refuses in its own words, and its configuration holds from the next request on', async (t) => {
  const { api, hook } = await setUp(t, ({ object }) =>
    object?.data?.wrong === undefined
      ? { allowed: true }
      : { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'wrong is wrong' } },
  );
  const { client } = api;
  await client.create(ValidatingWebhookConfiguration, { metadata: { name: 'v' }, webhooks: [webhook(hook, 'judge')] });
  await client.create(ConfigMap, map('good'));
  await assert.rejects(client.create(ConfigMap, map('bad', { wrong: '1' })), {
    message: 'admission webhook "judge.example.com" denied the request: wrong is wrong',
    code: 403,
  });
  await assert.rejects(
    client.patch(ConfigMap, { name: 'good', namespace }, { type: 'merge', body: { data: { wrong: '1' } } }),
    /denied the request/,
  );
  await client.delete(ConfigMap, { name: 'good', namespace });
  assert.deepEqual(
    hook.requests.map(({ operation, object, oldObject }) => [operation, object === null, oldObject === null]),
    [
      ['CREATE', false, true],
      ['CREATE', false, true],
      ['UPDATE', false, false],
      ['DELETE', true, false],
    ],
  );
  assert.equal(hook.connections, 1, 'the connection is used again');
  await client.delete(ValidatingWebhookConfiguration, { name: 'v' });
  await client.create(ConfigMap, map('bad', { wrong: '1' }));
});

test('mutating webhooks run in order and see what others changed; those that ask for it look twice', async (t) => {
  const { api, hook } = await setUp(t, ({ object }, path) => {
    const seen = Object.keys(object.data ?? {})
      .sort()
      .join('');
    if (path.startsWith('/first')) return patchAnswer({ op: 'add', path: `/data/a${seen}`, value: 'first' });
    return patchAnswer({ op: 'add', path: '/data/z', value: seen });
  });
  const { client } = api;
  const first = webhook(hook, 'first', { reinvocationPolicy: 'IfNeeded' });
  await client.create(MutatingWebhookConfiguration, { metadata: { name: 'a' }, webhooks: [first] });
  await client.create(MutatingWebhookConfiguration, { metadata: { name: 'b' }, webhooks: [webhook(hook, 'second')] });
  const { data } = await client.create(ConfigMap, map('c', { x: '1' }));
  assert.deepEqual(data, { x: '1', ax: 'first', z: 'axx', aaxxz: 'first' });
});

test('a webhook that cannot be reached stops requests, or lets them pass, as its policy says', async (t) => {
  const { api, hook } = await setUp(t, () => ({ allowed: true }));
  const { client } = api;
  const clientConfig = { service: { namespace: 'nowhere', name: 'none', path: '/x' } };
  const configuration = (failurePolicy: string) => ({
    metadata: { name: 'v' },
    webhooks: [webhook(hook, 'gone', { clientConfig, failurePolicy })],
  });
  await client.create(ValidatingWebhookConfiguration, configuration('Fail'));
  await assert.rejects(client.create(ConfigMap, map('c')), {
    message:
      'Internal error occurred: failed calling webhook "gone.example.com": failed to call webhook: Post "https://none.nowhere.svc:443/x?timeout=10s": service "none" not found',
    code: 500,
  });
  await client.patch(
    ValidatingWebhookConfiguration,
    { name: 'v' },
    { type: 'json', operations: [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }] },
  );
  await client.create(ConfigMap, map('c'));
});

test('a service stands for where it leads, a selector picks namespaces', async (t) => {
  const { api, hook } = await setUp(t, () => ({ allowed: true, warnings: ['seen'] }));
  const { client } = api;
  const port = Number(new URL(hook.clientConfig().url!).port);
  const metadata = { name: 'hook', namespace };
  await client.create(Service, { metadata, spec: { type: 'ExternalName', externalName: 'localhost' } });
  const clientConfig = { service: { ...metadata, path: '/judge', port }, caBundle: hook.clientConfig().caBundle! };
  const namespaceSelector = { matchLabels: { judged: 'yes' } };
  await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'v' },
    webhooks: [webhook(hook, 'judge', { clientConfig, namespaceSelector })],
  });
  await client.create(Namespace, { metadata: { name: 'judged', labels: { judged: 'yes' } }, spec: {} });
  await client.create(ConfigMap, map('free'));
  await client.create(ConfigMap, { metadata: { generateName: 'bound-', namespace: 'judged' } });
  assert.equal(hook.requests.length, 1);
  assert.equal(hook.requests[0]?.namespace, 'judged');
  assert.match(hook.requests[0]?.name ?? '', /^bound-.+/);
});

test('subresources have kinds of their own, and a configuration that cannot work is refused', async (t) => {
  const { api, hook } = await setUp(t, ({ object }) =>
    object.spec.replicas > 3 ? { allowed: false } : { allowed: true },
  );
  const { client } = api;
  const rules = [{ operations: ['*'], apiGroups: ['apps'], apiVersions: ['*'], resources: ['deployments/scale'] }];
  await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'v' },
    webhooks: [webhook(hook, 'scaler', { rules })],
  });
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } };
  await client.create(Deployment, {
    metadata: { name: 'd', namespace },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  });
  const scale = (replicas: number) =>
    client.updateSubresource(Deployment, { name: 'd', namespace }, 'scale', {
      metadata: { name: 'd', namespace },
      spec: { replicas },
    });
  await scale(2);
  await assert.rejects(scale(4), {
    message: 'admission webhook "scaler.example.com" denied the request without explanation',
  });
  assert.deepEqual(hook.requests[0]?.object.kind, 'Scale');
  assert.equal(hook.requests[0]?.oldObject.spec.replicas, 1);
  const matchConditions = [{ name: 'broken', expression: 'object.' }];
  await assert.rejects(
    client.create(ValidatingWebhookConfiguration, {
      metadata: { name: 'w' },
      webhooks: [webhook(hook, 'broken', { matchConditions, sideEffects: 'Some' })],
    }),
    /webhooks\[0\]\.sideEffects: Unsupported value: "Some".*matchConditions\[0\]\.expression: Invalid value: "object\.": compilation failed: ERROR/s,
  );
});

test('match conditions keep requests from a webhook', async (t) => {
  const { api, hook } = await setUp(t, () => ({ allowed: false }));
  const { client } = api;
  const matchConditions = [
    { name: 'labelled', expression: "has(object.metadata.labels) && 'judged' in object.metadata.labels" },
  ];
  await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'v' },
    webhooks: [webhook(hook, 'judge', { matchConditions })],
  });
  await client.create(ConfigMap, map('free'));
  const labelled = { metadata: { name: 'bound', namespace, labels: { judged: '' } } };
  await assert.rejects(client.create(ConfigMap, labelled), /denied the request/);
  assert.equal(hook.requests.length, 1);
});
