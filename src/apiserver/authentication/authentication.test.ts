import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { ClusterRole, ClusterRoleBinding, Pod, Secret, ServiceAccount, TokenReview } from '#kinds/generated/handles.ts';
import type { TokenReview as Review } from '#kinds/generated/types/authentication_v1.ts';
import { ApiError } from '#machinery/errors.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import { startPeer, startSecurePeer, writePeerConfig } from '#testing/peers.ts';
import { impersonate } from './impersonation.ts';
import { signJwt } from './jwt.ts';

function folder(t: { after(work: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'proa-authentication-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function review({ client }: Pick<TestApiServer, 'client'>, token: string, audiences?: readonly string[]) {
  const spec = { token, ...(audiences === undefined ? {} : { audiences }) };
  const { status } = (await client.create(TokenReview, { metadata: {}, spec } as Review)) as Review;
  return status;
}

async function tokenOf({ client }: Pick<TestApiServer, 'client'>, spec: object): Promise<string> {
  const ref = { name: 'robot', namespace: 'default' };
  const answer = await client.createSubresource(ServiceAccount, ref, 'token', { spec });
  return (answer['status'] as { token: string }).token;
}

test('a bound token is good for its audience, until its time is over or its pod is gone', async () => {
  const api = await startApiServer();
  const { client, environment, stop } = api;
  const metadata = { name: 'robot', namespace: 'default' };
  await client.create(ServiceAccount, { metadata });
  const pod = await client.create(Pod, {
    metadata,
    spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] },
  });
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'robot', uid: pod.metadata.uid! };
  const bound = await tokenOf(api, { expirationSeconds: 600, boundObjectRef });
  const other = await tokenOf(api, { expirationSeconds: 600, audiences: ['vault'] });
  assert.deepEqual((await review(api, bound))?.user?.extra?.['authentication.kubernetes.io/pod-name'], ['robot']);
  assert.match((await review(api, other))?.error ?? '', /audiences \["vault"\] is invalid for the target audiences/);
  assert.deepEqual((await review(api, other, ['vault', 'x']))?.audiences, ['vault']);
  await client.delete(Pod, metadata, { gracePeriodSeconds: 0 });
  assert.equal((await review(api, bound))?.error, '[invalid bearer token, service account token has been invalidated]');
  await environment.clock.advance(661_000);
  assert.equal(
    (await review(api, other, ['vault']))?.error,
    '[invalid bearer token, service account token has expired]',
  );
  await stop();
});

test('tokens of keys that were rotated out are still believed, and the key set shows all', async () => {
  const old = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const pem = createPublicKey(old).export({ type: 'spki', format: 'pem' }).toString();
  const api = await startApiServer({ authentication: { verificationKeys: [pem] } });
  const account = await api.client.create(ServiceAccount, { metadata: { name: 'robot', namespace: 'default' } });
  const { tokens } = api.server.registry;
  const keys = (tokens.keySet() as { readonly keys: readonly { readonly alg: string }[] }).keys;
  assert.deepEqual(
    keys.map(({ alg }) => alg),
    ['ES256', 'RS256'],
  );
  const now = Math.floor(api.environment.clock.now() / 1000);
  const serviceaccount = { name: 'robot', uid: account.metadata.uid! };
  const claims = {
    iss: tokens.issuer,
    aud: [tokens.issuer],
    exp: now + 100,
    nbf: now,
    'kubernetes.io': { namespace: 'default', serviceaccount },
  };
  assert.equal(
    (await review(api, signJwt(claims, { key: old, keyId: 'x' })))?.user?.username,
    'system:serviceaccount:default:robot',
  );
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  assert.equal((await review(api, signJwt(claims, { key: stranger, keyId: 'x' })))?.error, 'invalid bearer token');
  await api.stop();
});

test('a bootstrap token is a machine that may join, until it expires', async () => {
  const api = await startApiServer();
  const data = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:blue',
    expiration: new Date(api.environment.clock.now() + 60_000).toISOString(),
  };
  const metadata = { name: 'bootstrap-token-abcdef', namespace: 'kube-system' };
  await api.client.create(Secret, { metadata, type: 'bootstrap.kubernetes.io/token', stringData: data });
  const status = await review(api, 'abcdef.0123456789abcdef');
  assert.equal(status?.user?.username, 'system:bootstrap:abcdef');
  assert.deepEqual(status?.user?.groups, ['system:bootstrappers', 'system:bootstrappers:blue', 'system:authenticated']);
  assert.equal((await review(api, 'abcdef.0123456789abcdee'))?.authenticated, undefined);
  await api.environment.clock.advance(61_000);
  assert.equal((await review(api, 'abcdef.0123456789abcdef'))?.authenticated, undefined);
  await api.stop();
});

test('an issuer’s tokens make users as the configuration maps them, also with keys that came later', async (t) => {
  const path = folder(t);
  const keys = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  let published = 1;
  let asked = 0;
  const issuer = await startSecurePeer(systemClock().now(), (place) => {
    asked++;
    if (place !== '/keys') return { body: { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` } };
    const jwks = keys
      .slice(0, published)
      .map(({ publicKey }, index) => ({ ...publicKey.export({ format: 'jwk' }), kid: `k${index}` }));
    return { body: { keys: jwks } };
  });
  t.after(() => issuer.stop());
  const configFile = join(path, 'authentication.json');
  const jwt = {
    issuer: { url: issuer.url, audiences: ['proa'], certificateAuthority: issuer.authority },
    claimValidationRules: [{ expression: 'claims.hd == "example.com"', message: 'the wrong house' }],
    claimMappings: {
      username: { expression: 'claims.username + ":oidc"' },
      groups: { claim: 'roles', prefix: 'oidc:' },
      uid: { claim: 'number' },
      extra: [{ key: 'example.com/tenant', valueExpression: 'claims.tenant' }],
    },
    userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }],
  };
  const written = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', jwt: [jwt] };
  writeFileSync(configFile, JSON.stringify(written));
  const api = await startApiServer({ authentication: { configFile } });
  const now = Math.floor(api.environment.clock.now() / 1000);
  const claims = {
    iss: issuer.url,
    aud: 'proa',
    exp: now + 300,
    username: 'ann',
    number: '7',
    roles: ['dev'],
    tenant: 'blue',
    hd: 'example.com',
  };
  const signed = (more: object, index = 0, keyId = `k${index}`) =>
    signJwt({ ...claims, ...more }, { key: keys[index]!.privateKey, keyId });
  assert.deepEqual((await review(api, signed({})))?.user, {
    username: 'ann:oidc',
    uid: '7',
    groups: ['oidc:dev', 'system:authenticated'],
    extra: { 'example.com/tenant': ['blue'] },
  });
  await review(api, signed({}));
  assert.equal(asked, 2, 'once for the document and once for the keys');
  assert.match((await review(api, signed({ hd: 'other.com' })))?.error ?? '', /the wrong house/);
  assert.match((await review(api, signed({ username: 'system:admin' })))?.error ?? '', /reserved/);
  assert.match((await review(api, signed({ aud: 'another' })))?.error ?? '', /expected audience/);
  assert.match((await review(api, signed({ exp: now - 1 })))?.error ?? '', /token is expired/);
  assert.match(
    (await review(api, signed({ number: undefined })))?.error ?? '',
    /uid claim "number": claim not present/,
  );
  assert.match((await review(api, signed({}, 0, 'another')))?.error ?? '', /signature/, 'a key has the name it has');
  const elsewhere = await review(api, signed({}), ['another']);
  assert.deepEqual([elsewhere?.authenticated, elsewhere?.error], [undefined, 'invalid bearer token']);
  published = 2;
  assert.match((await review(api, signed({}, 1)))?.error ?? '', /signature/, 'keys are not asked for all the time');
  await api.environment.clock.advance(10_000);
  assert.equal((await review(api, signed({}, 1)))?.authenticated, true);
  await api.stop();
});

test('a webhook is asked once for a token, and again when its answer is too old', async (t) => {
  const path = folder(t);
  let asked = 0;
  const peer = await startPeer((_path, body) => {
    asked++;
    const { token } = (body as Review).spec;
    const status =
      token === 'good' ? { authenticated: true, user: { username: 'wanda', groups: ['g'] } } : { authenticated: false };
    return { body: { ...(body as object), status } };
  });
  t.after(() => peer.stop());
  const api = await startApiServer({
    authentication: { webhook: { configFile: writePeerConfig(join(path, 'config'), peer) } },
  });
  for (let time = 0; time < 3; time++) assert.equal((await review(api, 'good'))?.user?.username, 'wanda');
  assert.equal((await review(api, 'bad'))?.error, 'invalid bearer token');
  assert.equal(asked, 2);
  await api.environment.clock.advance(121_000);
  await review(api, 'good');
  assert.equal(asked, 3);
  await api.stop();
});

test('impersonation needs a right on each part of who is impersonated', async () => {
  const api = await startApiServer();
  const { authorizer } = api.server.registry;
  const actor = { name: 'ann', groups: ['system:authenticated'] };
  const request = { user: 'bob', uid: '', groups: ['dev'], extra: {} };
  const options = { access: undefined, constrained: true };
  await assert.rejects(
    impersonate(authorizer, actor, request, options),
    (error) =>
      error instanceof ApiError &&
      /users "bob" is forbidden: User "ann" cannot impersonate resource "users"/.test(error.message),
  );
  const root = { name: 'root', groups: ['system:masters'] };
  const user = await impersonate(authorizer, root, request, options);
  assert.deepEqual([user.name, user.groups, user.actor?.name], ['bob', ['dev', 'system:authenticated'], 'root']);
  await assert.rejects(
    impersonate(authorizer, root, { ...request, user: '' }, options),
    isApiError(
      400,
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"dev"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ),
  );
  const parts = { user: '', uid: 'u', groups: [], extra: { team: ['a', 'b'] } };
  await assert.rejects(
    impersonate(authorizer, root, parts, options),
    /UID:"u", Groups:\[\]string\(nil\), Extra:map\[string\]\[\]string\{"team":\[\]string\{"a", "b"\}\}\}/,
  );
  await assert.rejects(
    impersonate(authorizer, root, parts, { ...options, constrained: false }),
    isApiError(500, 'Internal error occurred: requested ["u" "team"] without impersonating a user'),
  );
  await api.stop();
});

test('constrained impersonation acts as another for certain requests only, and as the own node from a pod', async () => {
  const api = await startApiServer();
  const { client } = api;
  const { authorizer } = api.server.registry;
  const group = 'authentication.k8s.io';
  const grant = async (
    user: string,
    rules: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[],
  ) => {
    await client.create(ClusterRole, { metadata: { name: user }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user };
    const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }];
    await client.create(ClusterRoleBinding, { metadata: { name: user }, roleRef, subjects });
  };
  await grant('ann', [
    { apiGroups: [group], resources: ['users'], verbs: ['impersonate:user-info'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['impersonate-on:user-info:list'] },
  ]);
  const access = {
    verb: 'list',
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: '',
    name: '',
    path: '',
  };
  const request = { user: 'bob', uid: '', groups: [], extra: {} };
  const ann = { name: 'ann', groups: ['system:authenticated'] };
  assert.equal((await impersonate(authorizer, ann, request, { access, constrained: true })).name, 'bob');
  const others = { access: { ...access, resource: 'secrets' }, constrained: true };
  await assert.rejects(impersonate(authorizer, ann, request, others), /cannot impersonate resource "users"/);
  await assert.rejects(impersonate(authorizer, ann, request, { access, constrained: false }), /cannot impersonate/);
  const agent = 'system:serviceaccount:default:agent';
  await grant(agent, [
    { apiGroups: [group], resources: ['nodes'], verbs: ['impersonate:associated-node'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['impersonate-on:associated-node:list'] },
  ]);
  const extra = { 'authentication.kubernetes.io/node-name': ['one'] };
  const pod = { name: agent, groups: ['system:authenticated'], extra };
  const options = { access, constrained: true };
  const node = await impersonate(authorizer, pod, { ...request, user: 'system:node:one' }, options);
  assert.deepEqual(node.groups, ['system:nodes', 'system:authenticated']);
  await assert.rejects(
    impersonate(authorizer, pod, { ...request, user: 'system:node:two' }, options),
    /cannot impersonate/,
  );
  await api.stop();
});

test('the token of a Secret is good for as long as the Secret holds it, or for ever where nobody looks', async () => {
  const metadata = { name: 'robot', namespace: 'default' };
  for (const looksUpLegacyTokens of [true, false]) {
    const api = await startApiServer({ authentication: { looksUpLegacyTokens } });
    const { metadata: made } = await api.client.create(ServiceAccount, { metadata });
    const account = { name: 'robot', uid: made.uid! };
    const token = api.server.registry.tokens.issueLegacy({ namespace: 'default', secret: 'robot-token', account });
    const secret = {
      metadata: { ...metadata, name: 'robot-token', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
      data: { token: Buffer.from(token).toString('base64') },
    };
    await api.client.create(Secret, secret);
    assert.equal((await review(api, token))?.authenticated, true);
    await api.client.delete(Secret, { ...metadata, name: 'robot-token' });
    assert.equal((await review(api, token))?.authenticated === true, !looksUpLegacyTokens);
    await api.stop();
  }
});

const isApiError =
  (code: number, message: string) =>
  (error: unknown): boolean =>
    error instanceof ApiError && error.status.code === code && error.message === message;
