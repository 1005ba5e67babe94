import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { machineAddress } from '#cmd/config.ts';
import { Pod } from '#kinds/generated/handles.ts';
import { type HttpCluster, startHttpCluster } from '#testing/http-cluster.ts';

let cluster: HttpCluster;
let port: number;
const asked: (string | undefined)[] = [];
const backend = createServer((request, response) => {
  asked.push(String(request.headers['x-forwarded-uri']));
  response.end('hello');
});

before(async () => {
  backend.listen(0);
  await once(backend, 'listening');
  ({ port } = backend.address() as AddressInfo);
  cluster = await startHttpCluster({ nodes: 0 });
  await cluster.kubectl(['wait', '--for=create', 'serviceaccount/default']);
});

after(async () => {
  await cluster.stop();
  backend.close();
});

async function podAt(name: string, podIP: string): Promise<string> {
  const spec = { containers: [{ name: 'a', image: 'a' }], schedulerName: 'nobody' };
  const made = await cluster.client.create(Pod, { metadata: { name, namespace: 'default' }, spec });
  await cluster.client.updateStatus(Pod, { ...made, status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } });
  return `/api/v1/namespaces/default/pods/${name}:${port}/proxy/rooms/7?light=on`;
}

test('a pod that claims an address of the server itself, or a link’s, is not proxied to', async () => {
  for (const [name, address] of Object.entries({ own: '127.0.0.1', metadata: '169.254.169.254', six: '::1' })) {
    const { stderr, code } = await cluster.kubectl(['get', '--raw', await podAt(name, address)]);
    assert.deepEqual({ stderr, code }, { stderr: 'Error from server (BadRequest): address not allowed\n', code: 1 });
  }
  assert.deepEqual(asked, []);
});

test('a node that is not there is not found', async () => {
  const { stderr } = await cluster.kubectl(['get', '--raw', '/api/v1/nodes/nowhere/proxy/healthz']);
  assert.equal(stderr, 'Error from server (NotFound): nodes "nowhere" not found\n');
});

if (machineAddress() !== '127.0.0.1')
  test('what is behind a proxy is told under which path it was asked', async () => {
    const path = await podAt('there', machineAddress());
    const { stdout, stderr } = await cluster.kubectl(['get', '--raw', path]);
    assert.deepEqual({ stdout, stderr }, { stdout: 'hello', stderr: '' });
    assert.deepEqual(asked, [path.split('?')[0]]);
  });
