import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ConfigMap } from '#kinds/generated/handles.ts';
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

async function get(path: string, encoding: string, accept = 'application/json'): Promise<Answer> {
  const { host, port, ca, cert, key } = accessOf(cluster.kubeconfig);
  const headers = { 'accept-encoding': encoding, accept };
  const asked = request({ host, port, ca, cert, key, path, headers, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
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
