import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { createHttpClient, type HttpClient } from './client.ts';
import { loadKubeconfig } from './kubeconfig.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let answer: Answer;
let client: HttpClient;
const server = createServer((request, response) => answer(request, response));

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = createHttpClient({ server: `http://127.0.0.1:${port}/prefix`, token: 'secret' });
});

after(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (response: ServerResponse, code: number, body: object, headers: Record<string, string> = {}) => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};

test('a call is the request that the API documents', async () => {
  let seen: string[] = [];
  answer = (request, response) => {
    const { authorization, 'impersonate-user': user } = request.headers;
    seen = [request.method ?? '', request.url ?? '', authorization ?? '', String(user)];
    json(response, 200, { metadata: { name: 'a' } });
  };
  const patch = { type: 'merge', body: {} } as const;
  await client.as({ user: 'jane' }).patch(ConfigMap, { name: 'a', namespace: 'ns' }, patch, { fieldManager: 'me' });
  assert.deepEqual(seen, [
    'PATCH',
    '/prefix/api/v1/namespaces/ns/configmaps/a?fieldManager=me',
    'Bearer secret',
    'jane',
  ]);
});

test('the options of a deletion arrive with it', async () => {
  let seen = '';
  answer = async (request, response) => {
    for await (const chunk of request) seen += chunk;
    json(response, 200, { kind: 'Status', status: 'Success' });
  };
  await client.delete(ConfigMap, { name: 'a', namespace: 'ns' }, { propagationPolicy: 'Orphan' });
  assert.equal(JSON.parse(seen).propagationPolicy, 'Orphan');
});

test('a Status becomes the error it stands for', async () => {
  answer = (_, response) => {
    json(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'configmaps "a" not found' });
  };
  await assert.rejects(client.get(ConfigMap, { name: 'a', namespace: 'b' }), (error) => isReason(error, 'NotFound'));
});

test('an overloaded server is asked again when it says so', async () => {
  let calls = 0;
  answer = (_, response) => {
    calls++;
    if (calls < 3) json(response, 429, {}, { 'retry-after': '0' });
    else json(response, 200, { metadata: { name: 'a' } });
  };
  await client.get(ConfigMap, { name: 'a', namespace: 'b' });
  assert.equal(calls, 3);
});

test('watch events are whole lines, however the bytes arrive; an ERROR event is thrown', async () => {
  answer = (_, response) => {
    const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
    const text =
      event('ADDED', { metadata: { name: 'ä', resourceVersion: '1' } }) +
      event('MODIFIED', { metadata: { name: 'ä', resourceVersion: '2' } }) +
      event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    const bytes = Buffer.from(text);
    response.writeHead(200);
    for (let start = 0; start < bytes.length; start += 7) response.write(bytes.subarray(start, start + 7));
    response.end();
  };
  const types: string[] = [];
  await assert.rejects(
    async () => {
      for await (const event of client.watch(ConfigMap))
        types.push(`${event.type} ${event.object.metadata.resourceVersion}`);
    },
    (error) => isReason(error, 'Expired'),
  );
  assert.deepEqual(types, ['ADDED 1', 'MODIFIED 2']);
});

test('a kubeconfig gives server, credentials and namespace, with files relative to it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'proa-kubeconfig-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ca.pem'), 'authority');
  const key = Buffer.from('private').toString('base64');
  const text = `
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u, namespace: team } }]
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:6443", certificate-authority: ca.pem } }]
users: [{ name: u, user: { client-key-data: ${key} } }]
`;
  await writeFile(join(folder, 'config'), text);
  const { client: options, namespace } = loadKubeconfig({ path: join(folder, 'config') });
  assert.equal(namespace, 'team');
  assert.equal(options.server, 'https://127.0.0.1:6443');
  assert.equal(options.ca, 'authority');
  assert.equal(options.key, 'private');
  assert.throws(() => loadKubeconfig({ path: join(folder, 'config'), context: 'elsewhere' }), /does not exist/);
});
