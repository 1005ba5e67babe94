import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpClient, type HttpClient } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { decodeCbor, encodeCbor } from '#machinery/cbor.ts';
import { ApiError } from '#machinery/errors.ts';
import { startHttpCluster } from './http-cluster.ts';

const cbor = 'application/cbor';
const applyCbor = 'application/apply-patch+cbor';
const configMaps = '/api/v1/namespaces/default/configmaps';
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, data: { pair: 'AQID' } };

type Answered = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> };

/** A request whose body is CBOR, and its answer. @throws ApiError */
async function ask(
  client: HttpClient,
  method: string,
  path: string,
  {
    body,
    type = cbor,
    accept = cbor,
  }: { readonly body?: unknown; readonly type?: string; readonly accept?: string } = {},
): Promise<Answered> {
  const headers = { accept, ...(body === undefined ? {} : { 'content-type': type }) };
  const sent = body === undefined ? {} : { body: body instanceof Uint8Array ? body : encodeCbor(body) };
  const response = await client.raw({ method, path, headers, ...sent });
  assert.equal(response.headers['content-type'], cbor);
  return decodeCbor(Buffer.concat(await response.body.toArray())) as Answered;
}

async function clusterWith(featureGates: Readonly<Record<string, boolean>>) {
  const cluster = await startHttpCluster({ nodes: 0, featureGates });
  const client = createHttpClient(loadKubeconfig({ path: cluster.kubeconfig, environment: {} }).client);
  return {
    cluster,
    client,
    stop: async () => {
      client.close();
      await cluster.stop();
    },
  };
}

const refusal = (code: number, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ApiError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

test('without its feature gate CBOR is a media type that nobody knows', async () => {
  const { client, stop } = await clusterWith({});
  try {
    await assert.rejects(
      ask(client, 'GET', configMaps),
      refusal(
        406,
        /representations: application\/json, application\/yaml, application\/vnd.kubernetes.protobuf, [^ ]+;stream=watch, [^ ]+$/,
      ),
    );
    const post = ask(client, 'POST', configMaps, { body: {}, accept: 'application/json' });
    await assert.rejects(post, refusal(415, /include: application\/json, application\/yaml, [a-z./]+protobuf$/));
    const apply = ask(client, 'PATCH', `${configMaps}/a`, { body: {}, type: applyCbor, accept: 'application/json' });
    await assert.rejects(apply, refusal(415, /^415: Unsupported Media Type$/));
  } finally {
    await stop();
  }
});

test('with it, objects of built-in and custom kinds are written, read, listed, applied and watched in CBOR', async () => {
  const { cluster, client, stop } = await clusterWith({ CBORServingAndStorage: true });
  try {
    const secrets = '/api/v1/namespaces/default/secrets';
    const created = await ask(client, 'POST', secrets, { body: secret });
    assert.deepEqual(created['data'], { pair: 'AQID' });
    const list = (await ask(client, 'GET', secrets)) as Answered & { readonly items: readonly Answered[] };
    assert.deepEqual(list['kind'], 'SecretList');
    assert.ok(list.items.some(({ metadata }) => metadata['name'] === 'keys'));

    const applied = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'applied' },
      data: { text: 'ü' },
    };
    const path = `${configMaps}/applied?fieldManager=me`;
    assert.deepEqual((await ask(client, 'PATCH', path, { body: applied, type: applyCbor }))['data'], { text: 'ü' });

    const widgets = await defineWidgets(cluster.kubectl, client);
    const widget = { apiVersion: 'demo.dev/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { share: 0.5, n: 3 } };
    assert.deepEqual((await ask(client, 'POST', widgets, { body: widget }))['spec'], widget.spec);
    assert.deepEqual((await ask(client, 'GET', `${widgets}/w`))['spec'], widget.spec);

    assert.deepEqual(await firstEvent(client, `${widgets}?watch=1`), ['ADDED', 'w']);
    assert.deepEqual(await firstEvent(client, `${secrets}?watch=1&fieldSelector=metadata.name%3Dkeys`), [
      'ADDED',
      'keys',
    ]);
    // Tables have the forms that people read.
    await assert.rejects(
      ask(client, 'GET', secrets, { accept: 'application/cbor;as=Table;v=v1;g=meta.k8s.io' }),
      refusal(406, /only the following media types are accepted: .*application\/cbor/),
    );
    const metadata = 'application/cbor;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
    assert.equal((await ask(client, 'GET', secrets, { accept: metadata }))['kind'], 'PartialObjectMetadataList');
    await ask(client, 'DELETE', `${secrets}/keys`, {
      body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 },
    });

    const { paths } = JSON.parse(await client.rawText({ path: '/openapi/v3/api/v1' })) as {
      readonly paths: Readonly<
        Record<string, Readonly<Record<string, { readonly requestBody?: { readonly content: object } }>>>
      >;
    };
    const named = paths['/api/v1/namespaces/{namespace}/secrets/{name}'];
    assert.ok(applyCbor in (named?.['patch']?.requestBody?.content ?? {}));

    const twice = Buffer.from('d9d9f7a241610141610 2'.replace(' ', ''), 'hex');
    await assert.rejects(
      ask(client, 'POST', secrets, { body: twice, accept: 'application/json' }),
      refusal(400, /Secret\): unable to determine group\/version\/kind: cbor: found duplicate map key "a"/),
    );
    const strict = ask(client, 'POST', `${secrets}?fieldValidation=Strict`, { body: { ...secret, extra: 1 } });
    await assert.rejects(strict, refusal(400, /strict decoding error: unknown field "extra"/));
  } finally {
    await stop();
  }
});

async function defineWidgets(
  kubectl: Awaited<ReturnType<typeof startHttpCluster>>['kubectl'],
  client: HttpClient,
): Promise<string> {
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.demo.dev' },
    spec: {
      group: 'demo.dev',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  await ask(client, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition });
  const { code } = await kubectl(['wait', '--for=condition=Established', 'crd/widgets.demo.dev', '--timeout=20s']);
  assert.equal(code, 0);
  return '/apis/demo.dev/v1/namespaces/default/widgets';
}

/** The type of the first event of a watch, and the name in it. */
async function firstEvent(client: HttpClient, path: string): Promise<readonly unknown[]> {
  const { headers, body } = await client.raw({ path, headers: { accept: cbor } });
  assert.equal(headers['content-type'], 'application/cbor-seq');
  for await (const chunk of body) {
    const { type, object } = decodeCbor(chunk as Uint8Array) as { readonly type: string; readonly object: Answered };
    return [type, object.metadata['name']];
  }
  return [];
}
