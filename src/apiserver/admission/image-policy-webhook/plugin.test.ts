import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

const namespace = 'default';

/** A backend that allows images that are not called `bad`, and the kubeconfig that leads to it. */
async function backend(t: TestContext) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: { containers: { image: string }[] } };
    const images = spec.containers.map(({ image }) => image);
    asked.push(images.join());
    const status = images.includes('bad') ? { allowed: false, reason: 'no bad ones' } : { allowed: true };
    response.end(JSON.stringify({ kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', status }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'images-'));
  const { port } = server.address() as AddressInfo;
  const kubeConfigFile = join(folder, 'kubeconfig');
  await writeFile(
    kubeConfigFile,
    `apiVersion: v1
kind: Config
clusters: [{name: images, cluster: {server: "http://127.0.0.1:${port}/review"}}]
users: [{name: server, user: {}}]
contexts: [{name: images, context: {cluster: images, user: server}}]
current-context: images
`,
  );
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
  return { asked, kubeConfigFile };
}

/** A server whose pods' images a backend decides about. */
async function judgedServer(t: TestContext) {
  const { asked, kubeConfigFile } = await backend(t);
  const { client, stop } = await startApiServer({
    admission: {
      enable: ['ImagePolicyWebhook'],
      configurations: { ImagePolicyWebhook: { imagePolicy: { kubeConfigFile } } },
    },
  });
  t.after(() => stop());
  await client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
  return { asked, client };
}

test('a backend decides which images run, and is asked once for the same pods', async (t) => {
  const { asked, client } = await judgedServer(t);
  const pod = (name: string, image: string) => ({
    metadata: { name, namespace },
    spec: { containers: [{ name: 'a', image }] },
  });
  await client.create(Pod, pod('a', 'good'));
  await client.create(Pod, pod('b', 'good'));
  await assert.rejects(client.create(Pod, pod('c', 'bad')), {
    message: 'pods "c" is forbidden: image policy webhook backend denied one or more images: no bad ones',
  });
  assert.deepEqual(asked, ['good', 'bad']);
});

test('a pod’s images are looked at again when they change', async (t) => {
  const { asked, client } = await judgedServer(t);
  const [containers, initContainers] = [[{ name: 'a', image: 'good' }], [{ name: 'i', image: 'first' }]];
  const made = await client.create(Pod, { metadata: { name: 'a', namespace }, spec: { containers, initContainers } });
  const changed = { ...made, spec: { ...made.spec, containers: [{ ...made.spec.containers[0]!, image: 'bad' }] } };
  await assert.rejects(
    client.update(Pod, changed),
    /image policy webhook backend denied one or more images: no bad ones$/,
  );
  assert.deepEqual(asked, ['good,first', 'bad,first']);
});
