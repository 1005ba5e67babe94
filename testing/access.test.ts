import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditEvent } from '#apiserver/audit/event.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import type { HttpClientOptions } from '#client/http/options.ts';
import { FlowSchema } from '#kinds/generated/handles.ts';
import { startHttpCluster } from './http-cluster.ts';
import { temporaryDirectory } from './machine.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: { readonly status?: { readonly userInfo?: object }; readonly message?: string };
}

/** One request with headers of the test's choosing. */
function send(
  access: HttpClientOptions,
  method: string,
  path: string,
  headers: Record<string, string | string[]>,
): Promise<Answer> {
  const { hostname, port } = new URL(access.server);
  const { ca, certificate: cert, key } = access;
  const body =
    method === 'POST'
      ? JSON.stringify({ kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' })
      : undefined;
  const json = { 'content-type': 'application/json', accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      method,
      path,
      headers: { ...json, ...headers },
      ca,
      cert,
      key,
      agent: false as const,
    };
    const sent = httpsRequest(options, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: JSON.parse(Buffer.concat(parts).toString()),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

test('flags say who is believed and what is noted; impersonation and flows show over HTTP', async (t) => {
  const path = await temporaryDirectory(t);
  const [tokens, policy, log] = ['tokens.csv', 'policy.json', 'audit.log'].map((name) => join(path, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(tokens, 'abc123,tom,42,"dev,ops"\n');
  const rules = [
    { level: 'None', userGroups: ['system:serviceaccounts', 'system:nodes'] },
    { level: 'Metadata', users: ['tom', 'kubernetes-admin'] },
  ];
  writeFileSync(
    policy,
    JSON.stringify({ kind: 'Policy', apiVersion: 'audit.k8s.io/v1', omitStages: ['RequestReceived'], rules }),
  );
  const apiServer = { 'token-auth-file': tokens, 'audit-policy-file': policy, 'audit-log-path': log };
  const cluster = await startHttpCluster({ apiServer });
  t.after(() => cluster.stop());
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const { certificate: _certificate, key: _key, ...nobody } = admin;
  const tom = await send(nobody, 'POST', whoAmI, { authorization: 'Bearer abc123', 'audit-id': 'my-own-number' });
  assert.deepEqual(tom.body.status?.userInfo, {
    username: 'tom',
    uid: '42',
    groups: ['dev', 'ops', 'system:authenticated'],
  });
  assert.equal(tom.headers['audit-id'], 'my-own-number');
  const schema = await cluster.client.get(FlowSchema, { name: 'global-default' });
  assert.equal(tom.headers['x-kubernetes-pf-flowschema-uid'], schema.metadata.uid);
  assert.equal((await send(nobody, 'POST', whoAmI, { authorization: 'Bearer abc124' })).status, 401);
  const headers = {
    'impersonate-user': 'bob',
    'impersonate-group': ['one', 'two'],
    'impersonate-extra-example.com%2fcolor': 'blue',
  };
  const bob = await send(admin, 'POST', whoAmI, headers);
  assert.deepEqual(bob.body.status?.userInfo, {
    username: 'bob',
    groups: ['one', 'two', 'system:authenticated'],
    extra: { 'example.com/color': ['blue'] },
  });
  const refused = await send(nobody, 'POST', whoAmI, { ...headers, authorization: 'Bearer abc123' });
  assert.equal(refused.status, 403);
  assert.match(refused.body.message ?? '', /User "tom" cannot impersonate resource "users"/);
  const noted = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent);
  const asTom = noted.find(({ auditID }) => auditID === 'my-own-number');
  assert.deepEqual([asTom?.user.username, asTom?.verb, asTom?.responseStatus?.code], ['tom', 'create', 201]);
  const denied = noted.find(({ user, responseStatus }) => user.username === 'tom' && responseStatus?.code === 403);
  assert.equal(denied?.responseStatus?.reason, 'Forbidden');
  assert.equal(
    noted.find(({ impersonatedUser }) => impersonatedUser?.username === 'bob')?.user.username,
    'kubernetes-admin',
  );
});

test('an authenticating proxy speaks for users, and nobody else does', async (t) => {
  const cluster = await startHttpCluster();
  t.after(() => cluster.stop());
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const pki = (name: string): string => readFileSync(join(cluster.folder, 'data', 'pki', name), 'utf8');
  const proxy = { ...admin, certificate: pki('front-proxy-client.crt'), key: pki('front-proxy-client.key') };
  const headers = { 'x-remote-user': 'eve', 'x-remote-group': 'guests', 'x-remote-extra-color': 'red' };
  const eve = await send(proxy, 'POST', whoAmI, headers);
  assert.deepEqual(eve.body.status?.userInfo, {
    username: 'eve',
    groups: ['guests', 'system:authenticated'],
    extra: { color: ['red'] },
  });
  const own = await send(admin, 'POST', whoAmI, headers);
  assert.match(JSON.stringify(own.body.status?.userInfo), /"username":"kubernetes-admin"/);
});
