import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CustomResourceDefinition, ValidatingWebhookConfiguration } from '#kinds/generated/handles.ts';
import type { CustomResourceDefinitionVersion } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import { startWebhook, type TestWebhook } from '#testing/webhook.ts';

type Boat = ApiObject & { readonly spec: Readonly<Record<string, unknown>> };

const namespace = 'default';
const group = 'example.com';
const names = { plural: 'boats', kind: 'Boat' };
const boats = (version: string): Kind<Boat> => ({ group, version, kind: 'Boat', resource: 'boats', namespaced: true });
const [old, current] = [boats('v1'), boats('v2')];

let api: TestApiServer;
let converter: TestWebhook;
const paths: string[] = [];

/** v1 says `crew: 3 people` where v2 says `crew: 3`; nobody speaks of thirteen. */
function converted({ spec: { crew }, ...rest }: Boat, apiVersion: string): object {
  const people = Number.parseInt(String(crew), 10);
  if (people === 13) throw new Error('thirteen cannot be told');
  return { ...rest, apiVersion, spec: { crew: apiVersion === `${group}/v1` ? `${people} people` : people } };
}

function version(name: string, type: string, storage: boolean): CustomResourceDefinitionVersion {
  const spec = { type: 'object', properties: { crew: { type } } };
  return { name, served: true, storage, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } };
}

before(async () => {
  api = await startApiServer();
  converter = await startWebhook(({ objects, desiredAPIVersion }, path) => {
    paths.push(path);
    try {
      const convertedObjects = objects.map((object) => converted(object, desiredAPIVersion));
      return { result: { status: 'Success' }, convertedObjects };
    } catch (error) {
      return { result: { status: 'Failure', message: (error as Error).message } };
    }
  });
  await api.client.create(CustomResourceDefinition, {
    metadata: { name: 'boats.example.com' },
    spec: {
      group,
      scope: 'Namespaced',
      names,
      versions: [version('v1', 'string', false), version('v2', 'integer', true)],
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: converter.clientConfig('/convert'), conversionReviewVersions: ['v1'] },
      },
    },
  });
});

after(async () => {
  await api.stop();
  await converter.stop();
});

async function refusal(asked: Promise<unknown>): Promise<object> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) return assert.fail(`no refusal: ${String(error)}`);
  return { code: error.code, reason: error.reason, message: error.message };
}

const boat = (name: string, crew: unknown): Boat => ({ metadata: { name, namespace }, spec: { crew } });

test('objects are converted on their way in and out, and the webhook hears how long it has', async () => {
  await api.client.create(old, boat('small', '3 people'));
  assert.deepEqual((await api.client.get(current, { name: 'small', namespace })).spec, { crew: 3 });
  await api.client.create(current, boat('large', 30));
  const { items } = await api.client.list(old, { namespace });
  assert.deepEqual(
    items.map(({ spec }) => spec['crew']),
    ['30 people', '3 people'],
  );
  assert.deepEqual([...new Set(paths)], ['/convert?timeout=30s']);
});

test('a conversion that fails has no reason; on the way to a webhook it is an internal error, twice', async () => {
  const { client } = api;
  await client.create(current, boat('cursed', 13));
  const message = 'conversion webhook for example.com/v2, Kind=Boat failed: thirteen cannot be told';
  const plainly = { code: 500, reason: '', message };
  assert.deepEqual(await refusal(client.get(old, { name: 'cursed', namespace })), plainly);
  assert.deepEqual(await refusal(client.list(old, { namespace })), plainly);
  const rules = [{ operations: ['DELETE'], apiGroups: [group], apiVersions: ['v1'], resources: ['boats'] }];
  const hook = { name: 'judge.example.com', clientConfig: converter.clientConfig('/judge'), rules };
  await client.create(ValidatingWebhookConfiguration, {
    metadata: { name: 'judge' },
    webhooks: [{ ...hook, admissionReviewVersions: ['v1'], sideEffects: 'None' }],
  });
  assert.deepEqual(await refusal(client.delete(current, { name: 'cursed', namespace })), {
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: Internal error occurred: ${message}`,
  });
});
