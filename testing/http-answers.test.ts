import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { ConfigMap, Namespace } from '#kinds/generated/handles.ts';
import { accessOf } from './access.ts';
import { type HttpCluster, startHttpCluster } from './http-cluster.ts';

let cluster: HttpCluster;

before(async () => {
  cluster = await startHttpCluster({ nodes: 0 });
  const data = { text: 'long and dull '.repeat(100) };
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      cluster.client.create(ConfigMap, { metadata: { name: `dull-${index}`, namespace: 'default' }, data }),
    ),
  );
});

after(() => cluster.stop());

interface Answer {
  readonly headers: IncomingMessage['headers'];
  readonly sent: Buffer;
  readonly text: string;
}

async function ask(method: string, path: string, headers = {}, body = ''): Promise<IncomingMessage> {
  const { host, port, ca, cert, key } = accessOf(cluster.kubeconfig);
  const asked = request({ host, port, ca, cert, key, method, path, headers, agent: false });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

async function get(path: string, encoding: string, accept = 'application/json'): Promise<Answer> {
  const response = await ask('GET', path, { 'accept-encoding': encoding, accept });
  const sent = await buffer(response);
  const isZipped = response.headers['content-encoding'] === 'gzip';
  return { headers: response.headers, sent, text: (isZipped ? gunzipSync(sent) : sent).toString() };
}

/** Others write meanwhile, and time goes on. */
function timeless(text: string): string {
  return text
    .replace(/("?(?:resourceVersion|continue)"?: ?)"[^"]*"/g, '$1')
    .replace(/"\d+m?s?"/g, 'age')
    .replace(/,"remainingItemCount":\d+/, '');
}

const configMaps = '/api/v1/namespaces/default/configmaps';

test('a long answer is compressed for who asks for it, in every form, and says the same', async () => {
  const table = 'application/json;as=Table;g=meta.k8s.io;v=v1';
  for (const [path, accept] of [
    [configMaps, 'application/json'],
    [`${configMaps}?limit=150`, 'application/json'],
    [configMaps, 'application/yaml'],
    [`${configMaps}?includeObject=Object`, table],
    ['/openapi/v2', 'application/json'],
  ] as const) {
    const [plain, zipped] = [await get(path, 'identity', accept), await get(path, 'gzip', accept)];
    assert.equal(zipped.headers['content-encoding'], 'gzip', path);
    assert.match(String(zipped.headers.vary), /Accept-Encoding/);
    assert.ok(zipped.sent.length * 5 < plain.sent.length, `${path}: ${zipped.sent.length} of ${plain.sent.length}`);
    assert.equal(timeless(zipped.text), timeless(plain.text), path);
  }
});

test('what is short, or asked for by who takes no gzip, is sent as it is', async () => {
  for (const [path, encoding] of [
    [`${configMaps}/dull-1`, 'gzip'],
    [configMaps, 'deflate, br'],
    [configMaps, 'gzip;q=0'],
  ] as const) {
    const { headers, text } = await get(path, encoding);
    assert.equal(headers['content-encoding'], undefined);
    assert.match(text, /long and dull/);
  }
});

test('what a resource has no verb for does not reach it, and a namespace where there is none leads nowhere', async () => {
  const refused = async (method: string, path: string, body = ''): Promise<string> => {
    const response = await ask(method, path, body === '' ? {} : { 'content-type': 'application/json' }, body);
    const text = (await buffer(response)).toString();
    return `${response.statusCode} ${text.startsWith('{') ? (JSON.parse(text) as { reason: string }).reason : text.trim()}`;
  };
  const namespaces = '/api/v1/namespaces';
  assert.equal(await refused('DELETE', `${namespaces}/default/status`), '405 MethodNotAllowed');
  assert.equal((await cluster.client.get(Namespace, { name: 'default' })).metadata.deletionTimestamp, undefined);
  assert.equal(await refused('POST', `${configMaps}/new`, '{"metadata":{"name":"new"}}'), '405 MethodNotAllowed');
  assert.equal(await refused('POST', '/api/v1/configmaps', '{"metadata":{"name":"new"}}'), '405 MethodNotAllowed');
  assert.equal(await refused('GET', `${configMaps}/dull-1/status`), '404 NotFound');
  assert.equal(await refused('GET', '/api/v1/configmaps/dull-1'), '404 NotFound');
  assert.equal(await refused('GET', `${namespaces}/default/nodes`), '404 NotFound');
  assert.equal(await refused('GET', '/apis/apps/v1/nosuch'), '404 NotFound');
  assert.equal(await refused('GET', '/apis/no.such.group/v1/things'), '404 404 page not found');
});

test('who asks for a stream of a pod that is not there hears that, whether or not the connection could carry one', async () => {
  for (const subresource of ['exec', 'attach', 'portforward']) {
    const response = await ask('POST', `/api/v1/namespaces/default/pods/none/${subresource}?command=true`);
    assert.equal(response.statusCode, 404, subresource);
    assert.equal(JSON.parse((await buffer(response)).toString()).message, 'pods "none" not found');
  }
});

test('everything wrong with the options of a write is told at once', async () => {
  const query = `fieldManager=${'x'.repeat(129)}&dryRun=Some&fieldValidation=Lax&force=true`;
  const headers = { 'content-type': 'application/merge-patch+json' };
  const response = await ask('PATCH', `${configMaps}/dull-1?${query}`, headers, '{}');
  const { message } = JSON.parse((await buffer(response)).toString()) as { message: string };
  assert.equal(response.statusCode, 422);
  assert.equal(
    message,
    'PatchOptions.meta.k8s.io "" is invalid: [force: Forbidden: may not be specified for non-apply patch, ' +
      'fieldManager: Too long: may not be more than 128 bytes, dryRun: Unsupported value: ["Some"]: supported values: "All", ' +
      'fieldValidation: Unsupported value: "Lax": supported values: "", "Ignore", "Strict", "Warn"]',
  );
});

test('checks that are left out are told to be, and are not asked', async () => {
  const { text } = await get('/livez?verbose&exclude=etcd&exclude=none', 'identity');
  assert.match(text, /^\[\+\]ping ok\n.*^\[\+\]etcd excluded: ok\n/ms);
  assert.match(text, /^warn: some health checks cannot be excluded: no matches for "none"\nlivez check passed\n$/m);
});

test('a name is looked for in all namespaces, in lists as in watches', async () => {
  for (const namespace of ['default', 'kube-system'])
    await cluster.client.create(ConfigMap, { metadata: { name: 'sought', namespace } });
  const selector = 'fieldSelector=metadata.name%3Dsought';
  const list = await get(`/api/v1/configmaps?${selector}`, 'identity');
  assert.equal((JSON.parse(list.text) as { items: object[] }).items.length, 2);
  const watch = await get(`/api/v1/configmaps?${selector}&watch=true&timeoutSeconds=1`, 'identity');
  const told = watch.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { object: { metadata: object } });
  assert.deepEqual(told.map(({ object }) => Reflect.get(object.metadata, 'namespace')).sort(), [
    'default',
    'kube-system',
  ]);
});

test('of ciphers that are as good as each other the server takes the cheaper one, whatever the client would rather have', async () => {
  const { host, port, ca } = accessOf(cluster.kubeconfig);
  const ciphers = 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256';
  const socket = connect({ host, port, ca, ciphers });
  await once(socket, 'secureConnect');
  assert.equal(socket.getCipher().name, 'TLS_AES_128_GCM_SHA256');
  socket.destroy();
});
