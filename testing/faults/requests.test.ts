import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HttpFront } from '#apiserver/http/front.ts';
import { ServerMetrics } from '#apiserver/http/metrics.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { ConfigMap, Deployment, Pod, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import { ensurePki, type Pki } from '../../src/cmd/pki.ts';
import { startApiServer, type TestApiServer } from '../cluster.ts';

const json = 'application/json';
const yaml = 'application/yaml';
const configMaps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

interface Case {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body: string | object;
  /** What the official server answers. */
  readonly code: number;
  readonly reason?: string;
  readonly message: string;
  /** The fields that its causes name. */
  readonly fields?: readonly string[];
}

const container = { name: 'a', image: 'x' };
const pod = (spec: object): object => ({ metadata: { name: 'p' }, spec });
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } };
const deployment = (spec: object): object => ({ metadata: { name: 'd' }, spec });
const cannot = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: ';
const unrecognized = 'the object provided is unrecognized (must be of type ConfigMap): ';

/** Each was put to the official server, whose words these are. */
const cases: readonly Case[] = [
  {
    what: 'JSON that ends too soon',
    body: '{"metadata": {"name": "a"',
    code: 400,
    reason: 'BadRequest',
    message: `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input ({"metadata": {"name": "a")`,
  },
  {
    what: 'text that is no JSON',
    body: 'hello',
    code: 400,
    reason: 'BadRequest',
    message: `${unrecognized}couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value (68656c6c6f)`,
  },
  {
    what: 'no body',
    body: '',
    code: 400,
    reason: 'BadRequest',
    message: `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`,
  },
  {
    what: 'another kind',
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
    code: 400,
    reason: 'BadRequest',
    message:
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
  },
  {
    what: 'a name that is a number',
    body: { metadata: { name: 5 } },
    code: 400,
    reason: 'BadRequest',
    message: `${cannot}json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string`,
  },
  {
    what: 'unknown fields, strictly',
    path: `${configMaps}?fieldValidation=Strict`,
    body: { metadata: { name: 'a', nam: 'b' }, dat: {} },
    code: 400,
    reason: 'BadRequest',
    message: `${cannot}strict decoding error: unknown field "metadata.nam", unknown field "dat"`,
  },
  {
    what: 'duplicate fields, strictly',
    path: `${configMaps}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"a","name":"b"},"data":{"k":"1","k":"2"}}',
    code: 400,
    reason: 'BadRequest',
    message: `${cannot}strict decoding error: duplicate field "metadata.name", duplicate field "data.k"`,
  },
  {
    what: 'unknown fields in YAML, strictly',
    path: `${configMaps}?fieldValidation=Strict`,
    type: yaml,
    body: 'metadata: {name: a}\ndat: {}\n',
    code: 400,
    reason: 'BadRequest',
    message: `${cannot}strict decoding error: unknown field "dat"`,
  },
  {
    what: 'a name that is too long',
    body: { metadata: { name: 'a'.repeat(254) } },
    code: 422,
    reason: 'Invalid',
    message: `ConfigMap "${'a'.repeat(254)}" is invalid: metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 characters`,
    fields: ['metadata.name'],
  },
  {
    what: 'a finalizer of nobody',
    body: { metadata: { name: 'a', finalizers: ['no'] } },
    code: 422,
    reason: 'Invalid',
    message:
      'ConfigMap "a" is invalid: metadata.finalizers[0]: Invalid value: "no": name is neither a standard finalizer name nor is it fully qualified',
    fields: ['metadata.finalizers[0]'],
  },
  {
    what: 'a namespace that is not there',
    path: '/api/v1/namespaces/nowhere/configmaps',
    body: { metadata: { name: 'a' } },
    code: 404,
    reason: 'NotFound',
    message: 'namespaces "nowhere" not found',
  },
  {
    what: 'a pod without containers',
    path: pods,
    body: pod({}),
    code: 422,
    reason: 'Invalid',
    message: 'Pod "p" is invalid: spec.containers: Required value',
    fields: ['spec.containers'],
  },
  {
    what: 'a mount of a volume that is not there',
    path: pods,
    body: pod({ containers: [{ ...container, volumeMounts: [{ name: 'nope', mountPath: '/x' }] }] }),
    code: 422,
    reason: 'Invalid',
    message: 'Pod "p" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "nope"',
    fields: ['spec.containers[0].volumeMounts[0].name'],
  },
  {
    what: 'a service account that is not there',
    path: pods,
    body: pod({ serviceAccountName: 'nobody', containers: [container] }),
    code: 403,
    reason: 'Forbidden',
    message:
      'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  },
  {
    what: 'a selector that does not select the template',
    path: deployments,
    body: deployment({ selector: { matchLabels: { x: 'y' } }, template }),
    code: 422,
    reason: 'Invalid',
    message:
      'Deployment.apps "d" is invalid: spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
    fields: ['spec.template.metadata.labels'],
  },
  {
    what: 'fewer replicas than none',
    path: deployments,
    body: deployment({ replicas: -1, selector: { matchLabels: { a: 'b' } }, template }),
    code: 422,
    reason: 'Invalid',
    message: 'Deployment.apps "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    fields: ['spec.replicas'],
  },
  {
    what: 'an apply that does not say by whom',
    method: 'PATCH',
    path: `${configMaps}/a`,
    type: 'application/apply-patch+yaml',
    body: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    code: 422,
    reason: 'Invalid',
    message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    fields: ['fieldManager'],
  },
  {
    what: 'a JSON patch whose test fails',
    method: 'PATCH',
    path: '/api/v1/namespaces/default',
    type: 'application/json-patch+json',
    body: [{ op: 'test', path: '/metadata/name', value: 'x' }],
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  },
  {
    what: 'a PUT to a collection',
    method: 'PUT',
    path: configMaps,
    body: {},
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  },
  {
    what: 'a version that no object has on creation',
    body: { metadata: { name: 'a', resourceVersion: '1' } },
    code: 500,
    message: 'resourceVersion should not be set on objects to be created',
  },
];

interface Answer {
  readonly code: number;
  readonly warnings: string;
  readonly body: {
    readonly reason?: string;
    readonly message?: string;
    readonly details?: { readonly causes?: readonly { readonly field?: string }[] };
  };
}

describe('requests that are wrong', () => {
  let folder: string;
  let pki: Pki;
  let api: TestApiServer;
  let front: HttpFront;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proa-requests-'));
    pki = await ensurePki(folder, { hosts: ['127.0.0.1'], now: systemClock().now() });
    api = await startApiServer({ authentication: { clientCa: pki.authority.certificate } });
    await api.client.create(ServiceAccount, { metadata: { name: 'default', namespace: 'default' } });
    front = await HttpFront.listen({
      server: api.server,
      routes: { connect: async () => false, path: async () => {} },
      metrics: new ServerMetrics(api.server),
      upgrade: (_request, socket) => socket.destroy(),
      serving: pki.serving,
      clientCa: pki.authority.certificate,
      host: '127.0.0.1',
      port: 0,
      log: silentLog,
    });
  });

  after(async () => {
    await front.close();
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function send(method: string, path: string, type: string, body: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const identity = { ca: pki.authority.certificate, cert: pki.admin.certificate, key: pki.admin.key };
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    const place = { port: front.port, host: '127.0.0.1', method, path, headers, agent: false as const };
    const sent = request({ ...place, ...identity }, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      const warnings = [answer.headers['warning'] ?? []].flat().join(' ');
      resolve({ code: answer.statusCode ?? 0, warnings, body: JSON.parse(text) });
    });
    sent.on('error', reject);
    sent.end(body);
    return promise;
  }

  for (const { what, method = 'POST', path = configMaps, type = json, body, code, reason, message, fields } of cases)
    test(`${what}: ${code} ${reason ?? ''}, and nothing is stored`, async () => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await send(method, path, type, text);
      assert.equal(answer.body.message, message);
      assert.deepEqual([answer.code, answer.body.reason], [code, reason]);
      const found = answer.body.details?.causes?.map(({ field }) => field);
      assert.deepEqual(found, fields);
      const within = { namespace: 'default' };
      const lists = [ConfigMap, Pod, Deployment].map((kind) => api.client.list(kind as Kind, within));
      for (const { items } of await Promise.all(lists)) assert.deepEqual(items, []);
    });

  test('unknown and duplicate fields are warned about by default, and passed over when asked to', async () => {
    const body = '{"metadata":{"name":"a","name":"b"},"dat":{}}';
    const warned = await send('POST', `${configMaps}?dryRun=All`, json, body);
    assert.deepEqual(
      [warned.code, warned.warnings],
      [201, '299 - "duplicate field \\"metadata.name\\"", 299 - "unknown field \\"dat\\""'],
    );
    const twice = 'metadata: {name: a}\ndata:\n  k: a\n  k: b\n';
    const inYaml = await send('POST', `${configMaps}?dryRun=All`, yaml, twice);
    assert.deepEqual([inYaml.code, inYaml.warnings], [201, '299 - "line 4: key \\"k\\" already set in map"']);
    const ignored = await send('POST', `${configMaps}?dryRun=All&fieldValidation=Ignore`, json, body);
    assert.deepEqual([ignored.code, ignored.warnings], [201, '']);
  });
});
