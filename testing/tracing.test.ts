import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { readTracingConfiguration } from '#apiserver/tracing/configuration.ts';
import { createHttpClient } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { APIService, MutatingWebhookConfiguration } from '#kinds/generated/handles.ts';
import { FlowerServer, group } from './aggregated-server.ts';
import { until } from './e2e/proa.ts';
import { startHttpCluster } from './http-cluster.ts';
import { startWebhook } from './webhook.ts';

/** A span as it came over the wire, with what these tests look at. */
interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly links: readonly string[];
  readonly lastsMs: number;
}

type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

/** A protobuf message, whatever it is. */
function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    let value: Buffer | bigint;
    if (tag % 8 === 0) value = varint();
    else {
      const length = tag % 8 === 1 ? 8 : tag % 8 === 5 ? 4 : Number(varint());
      value = bytes.subarray(at, at + length);
      at += length;
    }
    const known = fields.get(tag >> 3);
    if (known === undefined) fields.set(tag >> 3, [value]);
    else known.push(value);
  }
  return fields;
}

const messages = (fields: Fields, number: number): readonly Fields[] =>
  (fields.get(number) ?? []).map((bytes) => fieldsOf(bytes as Buffer));
const bytesAt = (fields: Fields, number: number): Buffer => (fields.get(number)?.[0] as Buffer) ?? Buffer.alloc(0);
const textAt = (fields: Fields, number: number): string => bytesAt(fields, number).toString();

function attributesOf(fields: Fields, number: number): ReadonlyMap<string, string> {
  return new Map(
    messages(fields, number).map((pair) => {
      const [value] = messages(pair, 2);
      return [textAt(pair, 1), value!.has(1) ? textAt(value!, 1) : String(value!.get(3)?.[0])];
    }),
  );
}

function spansOf(request: Buffer): readonly SeenSpan[] {
  return messages(fieldsOf(request), 1).flatMap((resource) => {
    assert.equal(attributesOf(messages(resource, 1)[0]!, 1).get('service.name'), 'apiserver');
    return messages(resource, 2).flatMap((scope) =>
      messages(scope, 2).map((span) => ({
        traceId: bytesAt(span, 1).toString('hex'),
        spanId: bytesAt(span, 2).toString('hex'),
        parentId: bytesAt(span, 4).toString('hex'),
        name: textAt(span, 5),
        kind: Number(span.get(6)?.[0]),
        attributes: attributesOf(span, 9),
        links: messages(span, 13).map((link) => bytesAt(link, 1).toString('hex')),
        lastsMs: Number(bytesAt(span, 8).readBigUInt64LE() - bytesAt(span, 7).readBigUInt64LE()) / 1e6,
      })),
    );
  });
}

/** A collector of OTLP on loopback. */
async function startCollector() {
  const spans: SeenSpan[] = [];
  const server = new Server();
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const coding = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService(
    { Export: { path, requestStream: false, responseStream: false, ...coding } },
    {
      Export: ({ request }: { request: Buffer }, done: (error: null, answer: Buffer) => void) => {
        spans.push(...spansOf(request));
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { spans, endpoint: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

const configuration = (endpoint: string, rate: number): string =>
  `apiVersion: apiserver.config.k8s.io/v1beta1\nkind: TracingConfiguration\nendpoint: ${endpoint}\nsamplingRatePerMillion: ${rate}\n`;

/** A collector, and the file that has a server send it `rate` of a million traces, until the test ends. */
async function configuredCollector(t: TestContext, rate: number) {
  const collector = await startCollector();
  t.after(collector.stop);
  const folder = await mkdtemp(join(tmpdir(), 'proa-tracing-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'tracing.yaml');
  await writeFile(file, configuration(collector.endpoint, rate));
  return { collector, file };
}

const theirTrace = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
const traceparent = `00-${theirTrace}-bbbbbbbbbbbbbbbb-01`;

test('requests, and what they ask of webhooks and the store, are spans of one trace', async (t) => {
  const { collector, file } = await configuredCollector(t, 0);
  const hook = await startWebhook(() => ({ allowed: true }));
  t.after(hook.stop);
  const cluster = await startHttpCluster({ nodes: 0, apiServer: { 'tracing-config-file': file } });
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const client = createHttpClient(admin);
  const stranger = createHttpClient({ ...admin, impersonate: { user: 'tom', groups: ['dev'] } });
  await cluster.client.create(MutatingWebhookConfiguration, {
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'hook.demo.dev',
        clientConfig: hook.clientConfig('/mutate'),
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      },
    ],
  });
  const path = '/api/v1/namespaces/default/configmaps';
  const headers = { 'content-type': 'application/json' };
  await client.rawText({
    method: 'POST',
    path,
    headers: { ...headers, traceparent },
    body: '{"metadata":{"name":"a"}}',
  });
  await client.rawText({ path: `${path}/a` });
  await stranger.rawText({ path: '/version', headers: { traceparent } });
  client.close();
  stranger.close();
  await cluster.stop();

  const { spans } = collector;
  const request = spans.find(({ name }) => name === 'POST /api/v1/namespaces/{:namespace}/configmaps');
  assert.ok(request, spans.map(({ name }) => name).join());
  assert.deepEqual([request.traceId, request.parentId, request.kind], [theirTrace, 'bbbbbbbbbbbbbbbb', 2]);
  assert.equal(request.attributes.get('http.response.status_code'), '201');
  assert.equal(request.attributes.get('http.target'), path);
  assert.ok(request.lastsMs > 0);
  const children = spans.filter(({ parentId }) => parentId === request.spanId);
  assert.deepEqual(children.map(({ name, kind }) => [name, kind]).sort(), [
    ['Create etcd3', 1],
    ['HTTP POST', 3],
  ]);
  assert.equal(
    children.find(({ name }) => name === 'Create etcd3')?.attributes.get('key'),
    '/registry/configmaps/default/a',
  );
  const call = children.find(({ name }) => name === 'HTTP POST')!;
  // Controllers write configmaps, too, outside of any trace.
  const sent = hook.headers.flatMap((headers) => headers['traceparent'] ?? []);
  assert.deepEqual(sent, [`00-${theirTrace}-${call.spanId}-01`]);
  // Nobody asked for the others: their rate is zero, and of strangers nothing is believed.
  assert.deepEqual(
    spans.filter((span) => span !== request && !children.includes(span)),
    [],
  );
});

test('what another server answers for is a span of the same trace, which goes on there', async (t) => {
  const { collector, file } = await configuredCollector(t, 0);
  const flowers = await FlowerServer.start();
  t.after(() => flowers.stop());
  const cluster = await startHttpCluster({ nodes: 0, apiServer: { 'tracing-config-file': file } });
  await flowers.register(cluster.client);
  await until(
    async () => (await cluster.client.get(APIService, { name: `v1.${group}` })).status?.conditions?.[0]?.status,
    (status) => status === 'True',
  );
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const client = createHttpClient(admin);
  await client.rawText({ path: `/apis/${group}/v1/roses`, headers: { traceparent } });
  client.close();
  await cluster.stop();

  const ours = collector.spans.filter(({ traceId }) => traceId === theirTrace);
  const request = ours.find(({ parentId }) => parentId === 'bbbbbbbbbbbbbbbb');
  const call = ours.find(({ name }) => name === 'HTTP GET');
  assert.equal(ours.length, 2);
  assert.equal(call?.parentId, request?.spanId);
  assert.equal(call?.kind, 3);
  assert.equal(call?.attributes.get('http.response.status_code'), '200');
  assert.deepEqual(flowers.traces, [`00-${theirTrace}-${call?.spanId}-01`]);
});

test('a stranger’s trace is linked to, and requests without a trace are sampled by the rate', async (t) => {
  const { collector, file } = await configuredCollector(t, 1_000_000);
  const cluster = await startHttpCluster({ nodes: 0, apiServer: { 'tracing-config-file': file } });
  const { client: admin } = loadKubeconfig({ path: cluster.kubeconfig, environment: {} });
  const stranger = createHttpClient({ ...admin, impersonate: { user: 'tom', groups: ['dev'] } });
  await stranger.rawText({ path: '/version', headers: { traceparent } });
  await assert.rejects(stranger.rawText({ path: '/api/v1/secrets' }));
  stranger.close();
  await cluster.stop();
  const version = collector.spans.find(({ attributes }) => attributes.get('url.path') === '/version');
  assert.deepEqual([version?.name, version?.links, version?.parentId], ['GET', [theirTrace], '']);
  assert.notEqual(version?.traceId, theirTrace);
  const refused = collector.spans.find(({ name }) => name === 'GET /api/v1/secrets');
  assert.equal(refused?.attributes.get('http.response.status_code'), '403');
});

test('a tracing configuration says what is wrong with it', () => {
  assert.deepEqual(readTracingConfiguration('apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration'), {
    endpoint: 'localhost:4317',
    samplingRatePerMillion: 0,
  });
  assert.throws(() => readTracingConfiguration(configuration('localhost:1', -1)), /must be positive/);
  assert.throws(
    () => readTracingConfiguration(configuration('localhost:1', 1_000_001)),
    /less than or equal to one million/,
  );
  assert.throws(() => readTracingConfiguration(configuration('http://localhost:1', 1)), /unsupported scheme: http/);
  assert.throws(() => readTracingConfiguration(`${configuration('a', 1)}tls: true`), /unknown field "tls"/);
  assert.throws(() => readTracingConfiguration('kind: Pod'), /expected kind: TracingConfiguration/);
});
