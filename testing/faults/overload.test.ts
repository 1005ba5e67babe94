import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClusterRoleBinding, ValidatingWebhookConfiguration } from '#kinds/generated/handles.ts';
import { accessOf } from '../access.ts';
import { until } from '../e2e/proa.ts';
import { startHttpCluster } from '../http-cluster.ts';
import { startWebhook } from '../webhook.ts';

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

test('without priority and fairness only so many writes are served at once, administrators always, and nobody for longer than they ask', async () => {
  const tokens = join(tmpdir(), `proa-tokens-${process.pid}.csv`);
  await writeFile(tokens, 'secret,jane,jane\n', { mode: 0o600 });
  const cluster = await startHttpCluster({
    nodes: 0,
    apiServer: {
      'enable-priority-and-fairness': 'false',
      'max-mutating-requests-inflight': '1',
      'max-requests-inflight': '10',
      'token-auth-file': tokens,
    },
  });
  const hook = await startWebhook(() => undefined);
  const { client } = cluster;
  await client.create(ClusterRoleBinding, {
    metadata: { name: 'jane' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  });
  await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'slow' },
    webhooks: [
      {
        name: 'slow.example.com',
        clientConfig: hook.clientConfig(),
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        matchConditions: [{ name: 'slow', expression: "object.metadata.name == 'slow'" }],
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Ignore',
        timeoutSeconds: 3,
      },
    ],
  });
  const { host, port, ca, cert, key } = accessOf(cluster.kubeconfig);
  const ask = (method: string, name: string | undefined, who: object, query = ''): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const path = `/api/v1/namespaces/default/configmaps${query}`;
      const asked = request({ host, port, ca, method, path, agent: false, headers, ...who }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body }),
        );
      });
      asked.once('error', reject);
      asked.end(name === undefined ? undefined : JSON.stringify({ kind: 'ConfigMap', metadata: { name } }));
    });
  const jane = { headers: { 'content-type': 'application/json', authorization: 'Bearer secret' } };
  try {
    const slow = ask('POST', 'slow', jane);
    await until(
      async () => hook.requests.length,
      (count) => count === 1,
    );
    assert.deepEqual(await ask('POST', 'refused', jane), {
      status: 429,
      retryAfter: '1',
      body: 'Too many requests, please try again later.\n',
    });
    assert.equal((await ask('GET', undefined, jane)).status, 200, 'reads have places of their own');
    assert.equal((await ask('POST', 'urgent', { cert, key })).status, 201, 'administrators always get an answer');
    assert.equal((await slow).status, 201, 'a webhook that hangs is given up after its time');
    assert.equal((await ask('POST', 'later', jane)).status, 201);
    const late = await ask('POST', 'slow', jane, '?timeout=300ms');
    const { reason, message } = JSON.parse(late.body);
    assert.deepEqual(
      [late.status, reason, message],
      [504, 'Timeout', 'Timeout: request did not complete within the allotted timeout'],
    );
  } finally {
    await cluster.stop();
    await hook.stop();
  }
});
