import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { after, before, test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { CertificateSigningRequest } from '#kinds/generated/handles.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';

let cluster: HttpCluster;
before(async () => {
  cluster = await startHttpCluster({ nodes: 0 });
});
after(() => cluster.stop());

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

async function ask(...names: readonly string[]): Promise<void> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as never;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=jane',
    keys,
    signingAlgorithm: algorithm,
  });
  for (const name of names) {
    await cluster.client.create(CertificateSigningRequest, {
      metadata: { name },
      spec: {
        request: Buffer.from(request.toString('pem')).toString('base64'),
        signerName: 'example.com/signer',
        usages: ['client auth'],
      },
    });
  }
}

async function conditionsOf(name: string): Promise<readonly (string | undefined)[]> {
  const { status } = await cluster.client.get(CertificateSigningRequest, { name });
  return (status?.conditions ?? []).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

test('requests are approved and denied by name, once, and never both', async () => {
  await ask('one', 'two', 'three');
  const label = 'certificatesigningrequest.certificates.k8s.io';
  const { code, stdout, stderr } = await cluster.kubectl(['certificate', 'approve', 'one', 'nobody', 'two']);
  assert.deepEqual(
    { code, stdout, stderr },
    {
      code: 1,
      stdout: `${label}/one approved\n${label}/two approved\n`,
      stderr: 'Error from server (NotFound): certificatesigningrequests.certificates.k8s.io "nobody" not found\n',
    },
  );
  const approved = ['Approved KubectlApprove: This CSR was approved by kubectl certificate approve.'];
  assert.deepEqual(await conditionsOf('one'), approved);
  assert.equal((await cluster.kubectl(['certificate', 'approve', 'one', '--force'])).code, 0);
  assert.deepEqual(await conditionsOf('one'), approved);
  const denied = await cluster.kubectl(['certificate', 'deny', 'one']);
  assert.equal(denied.stderr, 'error: certificate signing request "one" is already Approved\n');
  assert.equal((await cluster.kubectl(['certificate', 'deny', 'three'])).stdout, `${label}/three denied\n`);
  assert.deepEqual(await conditionsOf('three'), [
    'Denied KubectlDeny: This CSR was denied by kubectl certificate deny.',
  ]);
});
