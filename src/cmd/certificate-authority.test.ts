import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { createAuthority } from '#apiserver/certificates/authority.ts';
import type { Client } from '#client/client.ts';
import { startControllers } from '#controllers/index.ts';
import { CertificateSigningRequest, ClusterRoleBinding, Secret, ServiceAccount } from '#kinds/generated/handles.ts';
import type { CertificateSigningRequest as Request } from '#kinds/generated/types/certificates_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';
import { certificateAuthority } from './certificate-authority.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function requestFor(name: string, organization: string): Promise<string> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as never;
  const subject: x509.JsonName = [{ O: [organization] }, { CN: [name] }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: algorithm,
  });
  return Buffer.from(request.toString('pem')).toString('base64');
}

async function start() {
  const api = await startApiServer();
  const { client, environment } = api;
  const pair = await createAuthority('test-ca', environment.clock.now());
  const stopping = new AbortController();
  const running = startControllers(
    {
      client,
      environment,
      rootCa: pair.certificate,
      authority: certificateAuthority(pair, () => environment.clock.now()),
      issueLegacyToken: (names) => api.server.registry.tokens.issueLegacy(names),
    },
    stopping.signal,
  );
  const until = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
    for (let turn = 0; ; turn++) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      // Keys are worked on outside of virtual time, which must not run away while a busy machine takes long over them.
      await environment.clock.advance(turn < 1000 ? 5 : 0);
    }
  };
  const stop = async () => {
    stopping.abort();
    await running;
    await api.stop();
  };
  return { ...api, until, pair, stop };
}

function approve(client: Client, request: Request): Promise<unknown> {
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Test', message: 'fine' }];
  const { name = '' } = request.metadata;
  return client.updateSubresource(CertificateSigningRequest, { name }, 'approval', {
    ...request,
    status: { conditions },
  });
}

test('an approved request gets a certificate that lasts as long as was asked, and is cleaned away', async () => {
  const { client, as, until, pair, environment, stop } = await start();
  const spec = {
    request: await requestFor('ann', 'dev'),
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
    expirationSeconds: 7200,
    username: 'somebody else',
  };
  const made = await as({ user: 'ann', groups: ['system:masters'] }).create(CertificateSigningRequest, {
    metadata: { name: 'ann' },
    spec,
  });
  assert.equal(made.spec.username, 'ann');
  await approve(client, made);
  const pem = await until(
    async () => (await client.get(CertificateSigningRequest, { name: 'ann' })).status?.certificate,
  );
  const certificate = new X509Certificate(Buffer.from(pem, 'base64'));
  assert.ok(certificate.verify(new X509Certificate(pair.certificate).publicKey));
  // What has an extension that OpenSSL cannot read is issued by nobody.
  assert.ok(certificate.checkIssued(new X509Certificate(pair.certificate)));
  assert.match(certificate.subject, /O=dev\nCN=ann/);
  const seconds = (Date.parse(certificate.validTo) - environment.clock.now()) / 1000;
  assert.ok(seconds > 7100 && seconds <= 7200, `${seconds} s`);
  await environment.clock.advance(3600_000);
  await until(async () => {
    const gone = await client.get(CertificateSigningRequest, { name: 'ann' }).then(
      () => false,
      (error) => isReason(error, 'NotFound'),
    );
    return gone || undefined;
  });
  await stop();
});

test('a signer refuses what is not its own to sign, and a node’s next certificate is approved by itself', async () => {
  const { client, as, until, stop } = await start();
  const usages = ['client auth', 'digital signature'];
  const signerName = 'kubernetes.io/kube-apiserver-client-kubelet';
  const wrong = { request: await requestFor('ann', 'dev'), signerName, usages };
  await approve(client, await client.create(CertificateSigningRequest, { metadata: { name: 'wrong' }, spec: wrong }));
  const failure = await until(async () => {
    const { status } = await client.get(CertificateSigningRequest, { name: 'wrong' });
    return status?.conditions?.find(({ type }) => type === 'Failed');
  });
  assert.equal(failure.message, 'subject organization is not system:nodes');
  const user = 'system:node:one';
  const own = { request: await requestFor(user, 'system:nodes'), signerName, usages };
  // Upstream binds this role to nodes when a cluster is set up.
  await client.create(ClusterRoleBinding, {
    metadata: { name: 'renewal' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    },
    subjects: [{ kind: 'Group', name: 'system:nodes', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  await as({ user, groups: ['system:nodes'] }).create(CertificateSigningRequest, {
    metadata: { name: 'own' },
    spec: own,
  });
  await until(async () => (await client.get(CertificateSigningRequest, { name: 'own' })).status?.certificate);
  await stop();
});

test('what is no request, and usages that nobody knows, are refused in words', async () => {
  const { client, stop } = await start();
  const spec = {
    request: Buffer.from('nonsense').toString('base64'),
    signerName: 'no-domain',
    usages: ['juggling'],
    expirationSeconds: 1,
  };
  await assert.rejects(
    client.create(CertificateSigningRequest, {
      metadata: { name: 'x' },
      spec: { ...spec, request: await requestFor('a', 'b') },
    }),
    /spec\.usages\[0\]: Unsupported value: "juggling".*spec\.signerName: Invalid value: "no-domain".*spec\.expirationSeconds: Invalid value: 1/,
  );
  await assert.rejects(
    client.create(CertificateSigningRequest, { metadata: { name: 'x' }, spec }),
    /spec\.request: Invalid value: .*PEM block type must be CERTIFICATE REQUEST/,
  );
  await stop();
});

test('a Secret that asks for a token gets one that is believed until the Secret goes', async () => {
  const { client, server, until, stop } = await start();
  const metadata = { name: 'robot', namespace: 'default' };
  await client.create(ServiceAccount, { metadata });
  const annotations = { 'kubernetes.io/service-account.name': 'robot' };
  await client.create(Secret, { metadata: { ...metadata, annotations }, type: 'kubernetes.io/service-account-token' });
  const secret = await until(async () => {
    const now = await client.get(Secret, metadata);
    return now.data?.['token'] === undefined ? undefined : now;
  });
  assert.deepEqual(Object.keys(secret.data ?? {}).sort(), ['ca.crt', 'namespace', 'token']);
  const token = Buffer.from(secret.data!['token']!, 'base64').toString();
  const { authenticator } = server.registry;
  const answer = await authenticator.reviewToken(token, authenticator.apiAudiences);
  assert.equal(answer.outcome === 'authenticated' && answer.user.name, 'system:serviceaccount:default:robot');
  await until(
    async () => (await client.get(Secret, metadata)).metadata.labels?.['kubernetes.io/legacy-token-last-used'],
  );
  await client.delete(Secret, metadata);
  assert.equal((await authenticator.reviewToken(token, authenticator.apiAudiences)).outcome, 'refused');
  await stop();
});
