import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority } from '#apiserver/certificates/authority.ts';
import { signCertificateRequest } from '#apiserver/certificates/requests.ts';
import type { Client } from '#client/client.ts';
import { startControllers } from '#controllers/index.ts';
import { ClusterTrustBundle, Node, Pod, PodCertificateRequest, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Pod as PodObject, Volume } from '#kinds/generated/types/core_v1.ts';
import { PodCertificates } from '#kubelet/volumes/pod-certificates.ts';
import { TrustBundles } from '#kubelet/volumes/trust-bundles.ts';
import { volumeFiles } from '#kubelet/volumes/volume-data.ts';
import { formatTime } from '#machinery/time.ts';
import { startApiServer } from './cluster.ts';

const featureGates = { ClusterTrustBundle: true, ClusterTrustBundleProjection: true, PodCertificateRequest: true };
const hourMs = 3600_000;
const serving = 'kubernetes.io/kube-apiserver-serving';

/** A pod on a node, and what the node agent has to make its volume of. */
async function startNode(gates: Readonly<Record<string, boolean>> = featureGates) {
  const api = await startApiServer({ featureGates: gates });
  const { client, environment } = api;
  const namespace = 'default';
  await client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  const node = await client.create(Node, { metadata: { name: 'node-0' }, spec: {} });
  const created = await client.create(Pod, {
    metadata: { name: 'p', namespace },
    spec: { nodeName: 'node-0', serviceAccountName: 'default', containers: [{ name: 'a', image: 'x' }] },
  });
  const agent = api.as({ user: 'system:node:node-0', groups: ['system:nodes', 'system:authenticated'] });
  const { signal } = new AbortController();
  const sources = {
    objects: {} as never,
    tokens: {} as never,
    facts: {} as never,
    bundles: new TrustBundles({ client: agent, signal }),
    certificates: new PodCertificates({ client: agent, environment, node: () => node, signal }),
  };
  const files = async (...projections: readonly object[]) => {
    const volume = { name: 'v', projected: { sources: projections } } as Volume;
    const made = await volumeFiles(created as PodObject, volume, sources);
    return new Map([...made].map(([path, { data }]) => [path, Buffer.from(data).toString()]));
  };
  return { ...api, agent, pod: created, files };
}

async function only(client: Client) {
  const { items } = await client.list(PodCertificateRequest, { namespace: 'default' });
  assert.equal(items.length, 1);
  return items[0]!;
}

test('a pod gets a key and a certificate from its signer, and a new one in time', async (t) => {
  const { client, environment, files, pod, stop } = await startNode();
  t.after(stop);
  const { clock } = environment;
  const authority = await createAuthority('signer of pods', clock.now());
  const source = {
    podCertificate: {
      signerName: 'demo.dev/signer',
      keyType: 'ECDSAP256',
      credentialBundlePath: 'all.pem',
      keyPath: 'key.pem',
      userAnnotations: { 'demo.dev/a': 'b' },
    },
  };
  const issue = async (): Promise<void> => {
    const request = (await client.list(PodCertificateRequest, { namespace: 'default' })).items.find(
      ({ status }) => status?.conditions === undefined,
    )!;
    const now = clock.now();
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${request.spec.stubPKCS10Request}\n-----END CERTIFICATE REQUEST-----`;
    const certificate = await signCertificateRequest(authority, pem, { usages: [], lifetimeSeconds: 86_400, now });
    await client.updateStatus(PodCertificateRequest, {
      ...request,
      status: {
        conditions: [
          { type: 'Issued', status: 'True', reason: 'Ok', message: '', lastTransitionTime: formatTime(now) },
        ],
        certificateChain: `who reads this\n${certificate}`,
        notBefore: formatTime(now - 300_000),
        beginRefreshAt: formatTime(now + 12 * hourMs),
        notAfter: formatTime(now + 24 * hourMs - 300_000),
      },
    });
  };

  await assert.rejects(files(source), /credential bundle is not issued yet/);
  const request = await only(client);
  assert.deepEqual(request.spec.unverifiedUserAnnotations, { 'demo.dev/a': 'b' });
  assert.equal(request.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
  await assert.rejects(files(source), /credential bundle is not issued yet/);
  await issue();
  const first = await files(source);
  assert.deepEqual([...first.keys()], ['all.pem', 'key.pem']);
  const publicKey = createPublicKey(createPrivateKey(first.get('key.pem')!)).export({ type: 'spki', format: 'der' });
  const certificate = new X509Certificate(first.get('all.pem')!.slice(first.get('key.pem')!.length));
  assert.deepEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }), publicKey);
  assert.ok(!first.get('all.pem')!.includes('who reads this'));

  await clock.advance(13 * hourMs);
  assert.deepEqual(await files(source), first);
  await issue();
  const second = await files(source);
  assert.notEqual(second.get('key.pem'), first.get('key.pem'));
});

test('a signer that refuses is told in the volume’s error, for every type of key', async (t) => {
  const { client, environment, files, stop } = await startNode();
  t.after(stop);
  for (const [place, keyType] of ['RSA3072', 'ECDSAP384', 'ECDSAP521', 'ED25519'].entries()) {
    const source = { podCertificate: { signerName: `demo.dev/${keyType.toLowerCase()}`, keyType, keyPath: 'k' } };
    // Sources are told apart by their place.
    const other = { downwardAPI: { items: [] } };
    const at = Array.from({ length: place }, () => other);
    await assert.rejects(files(...at, source), /not issued yet/);
    const { items } = await client.list(PodCertificateRequest, { namespace: 'default' });
    const request = items.find(({ spec }) => spec.signerName === source.podCertificate.signerName)!;
    const lastTransitionTime = formatTime(environment.clock.now());
    const conditions = [{ type: 'Denied', status: 'True', reason: 'No', message: 'not you', lastTransitionTime }];
    await client.updateStatus(PodCertificateRequest, { ...request, status: { conditions } });
    await assert.rejects(files(...at, source), /permanently denied: reason="No" message="not you"/);
  }
});

test('without their feature gates such sources are left out of new pods', async (t) => {
  const { client, stop } = await startNode({});
  t.after(stop);
  const sources = [
    { clusterTrustBundle: { name: 'a', path: 'a' } },
    { podCertificate: { signerName: 'demo.dev/a', keyType: 'ED25519', keyPath: 'k' } },
    { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
  ];
  const { spec } = await client.create(Pod, {
    metadata: { name: 'q', namespace: 'default' },
    spec: { containers: [{ name: 'a', image: 'x' }], volumes: [{ name: 'v', projected: { sources } }] },
  });
  assert.deepEqual(spec.volumes?.find(({ name }) => name === 'v')?.projected?.sources, [{}, {}, sources[2]]);
});

test('trust bundles are found by name or by signer and labels, each anchor once', async (t) => {
  const { client, environment, files, stop } = await startNode();
  t.after(stop);
  const [one, two] = await Promise.all(
    ['one', 'two'].map(async (name) => (await createAuthority(name, environment.clock.now())).certificate),
  );
  const bundle = (name: string, trustBundle: string, labels: Readonly<Record<string, string>>) =>
    client.create(ClusterTrustBundle, {
      metadata: { name: `demo.dev:signer:${name}`, labels },
      spec: { signerName: 'demo.dev/signer', trustBundle },
    });
  await bundle('a', `${one}\n${two}`, { live: 'yes' });
  await bundle('b', one!, { live: 'yes' });
  await bundle('c', two!, { live: 'no' });
  await client.create(ClusterTrustBundle, { metadata: { name: 'lone' }, spec: { trustBundle: two! } });
  const count = (text = ''): number => text.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
  const bySigner = (labelSelector?: object, more: object = {}) => ({
    clusterTrustBundle: {
      signerName: 'demo.dev/signer',
      path: 'ca.pem',
      ...(labelSelector && { labelSelector }),
      ...more,
    },
  });
  const live = await files(bySigner({ matchLabels: { live: 'yes' } }));
  assert.equal(count(live.get('ca.pem')), 2);
  const named = await files({ clusterTrustBundle: { name: 'lone', path: 'ca.pem' } });
  assert.equal(named.get('ca.pem')?.trim(), two?.trim());
  await assert.rejects(files(bySigner({ matchLabels: { live: 'perhaps' } })), /matched zero ClusterTrustBundles/);
  const none = await files(bySigner({ matchLabels: { live: 'perhaps' } }, { optional: true }));
  assert.equal(none.get('ca.pem'), '');
  await assert.rejects(files({ clusterTrustBundle: { name: 'no', path: 'x' } }), /while getting ClusterTrustBundle/);
});

test('the authority of the API server is published as a trust bundle, and what was published before goes', async (t) => {
  const { client, environment, stop } = await startNode();
  const rootCa = (await createAuthority('root', environment.clock.now())).certificate;
  const old = (await createAuthority('old', environment.clock.now())).certificate;
  await client.create(ClusterTrustBundle, {
    metadata: { name: 'kubernetes.io:kube-apiserver-serving:old' },
    spec: { signerName: serving, trustBundle: old },
  });
  const stopping = new AbortController();
  const featureEnabled = (gate: string): boolean => gate in featureGates;
  const running = startControllers({ client, environment, rootCa, featureEnabled, kinds: [] }, stopping.signal);
  t.after(async () => {
    stopping.abort();
    await running;
    await stop();
  });
  const own = async () => {
    const { items } = await client.list(ClusterTrustBundle, { fieldSelector: `spec.signerName=${serving}` });
    return items.map(({ metadata, spec }) => [metadata.name, spec.trustBundle]);
  };
  await environment.clock.advance(1000);
  const published = await own();
  assert.equal(published.length, 1);
  assert.match(published[0]![0]!, /^kubernetes\.io:kube-apiserver-serving:[0-9a-f]{24}$/);
  assert.equal(published[0]![1], rootCa);
  await client.delete(ClusterTrustBundle, { name: published[0]![0]! });
  await environment.clock.advance(1000);
  assert.deepEqual(await own(), published);
});
