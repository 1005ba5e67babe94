import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap, Event } from '#kinds/generated/handles.ts';
import { ApiError } from '#machinery/errors.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';

const namespace = 'default';
const compactions = 2 * 5 * 60_000 + 1_000;

const failure = async (asked: Promise<unknown>): Promise<ApiError> => {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof ApiError ? error : assert.fail(`no failure of the API: ${String(error)}`);
};

async function filled(): Promise<TestApiServer> {
  const cluster = await startApiServer();
  for (const name of ['a', 'b', 'c']) await cluster.client.create(ConfigMap, { metadata: { name, namespace } });
  return cluster;
}

const namesOf = (list: { readonly items: readonly { readonly metadata: { readonly name?: string } }[] }) =>
  list.items.map(({ metadata }) => metadata.name);

test('pages show one moment, whatever is written between them', async () => {
  const { client, stop } = await filled();
  const first = await client.list(ConfigMap, { namespace, limit: 1 });
  await client.delete(ConfigMap, { name: 'b', namespace });
  await client.create(ConfigMap, { metadata: { name: 'bb', namespace } });
  const rest = await client.list(ConfigMap, { namespace, limit: 10, continue: first.metadata.continue });
  assert.deepEqual([...namesOf(first), ...namesOf(rest)], ['a', 'b', 'c']);
  assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
  const then = { namespace, resourceVersion: first.metadata.resourceVersion, resourceVersionMatch: 'Exact' } as const;
  assert.deepEqual(namesOf(await client.list(ConfigMap, then)), ['a', 'b', 'c']);
  assert.deepEqual(namesOf(await client.list(ConfigMap, { namespace })), ['a', 'bb', 'c']);
  await stop();
});

test('whatever there is comes whole, and one object is no page; only events come in pages all the same', async () => {
  const { client, stop } = await filled();
  const any = { namespace, limit: 1, resourceVersion: '0' } as const;
  assert.deepEqual(namesOf(await client.list(ConfigMap, any)), ['a', 'b', 'c']);
  const one = await client.list(ConfigMap, { namespace, limit: 1, fieldSelector: 'metadata.name=a' });
  assert.deepEqual([namesOf(one), one.metadata.continue], [['a'], undefined]);
  const involvedObject = { kind: 'ConfigMap', name: 'a', namespace };
  for (const name of ['a', 'b']) await client.create(Event, { metadata: { name, namespace }, involvedObject });
  const events = await client.list(Event, any);
  assert.deepEqual(namesOf(events), ['a']);
  assert.ok(events.metadata.continue);
  await stop();
});

test('a moment that is compacted away has expired; its pages go on from where they were, as things are now', async () => {
  const { client, environment, stop } = await filled();
  const first = await client.list(ConfigMap, { namespace, limit: 1 });
  await client.delete(ConfigMap, { name: 'b', namespace });
  await environment.clock.advance(compactions);
  const exact = { namespace, resourceVersion: first.metadata.resourceVersion, resourceVersionMatch: 'Exact' } as const;
  const gone = await failure(client.list(ConfigMap, exact));
  assert.deepEqual([gone.code, gone.reason], [410, 'Expired']);
  const expired = await failure(client.list(ConfigMap, { namespace, continue: first.metadata.continue, limit: 1 }));
  assert.deepEqual([expired.code, expired.reason], [410, 'Expired']);
  const token = expired.status.metadata?.continue;
  assert.ok(token);
  assert.deepEqual(namesOf(await client.list(ConfigMap, { namespace, continue: token, limit: 10 })), ['c']);
  await stop();
});

test('a watch goes on from any version that is remembered, says 410 to an older one, and waits for one yet to come', async () => {
  const { client, stop } = await filled();
  const before = await client.get(ConfigMap, { name: 'a', namespace });
  const next = async (resourceVersion: string | undefined): Promise<string> => {
    for await (const { type, object } of client.watch(ConfigMap, { namespace, resourceVersion: resourceVersion ?? '' }))
      return `${type} ${'name' in object.metadata ? object.metadata.name : ''}`;
    return 'nothing';
  };
  assert.equal(await next(before.metadata.resourceVersion), 'ADDED b');
  // As many as are remembered at the most, and one more.
  for (let count = 0; count <= 4096; count++)
    await client.update(ConfigMap, { metadata: { name: 'a', namespace }, data: { count: String(count) } });
  const old = await failure(next(before.metadata.resourceVersion));
  assert.deepEqual([old.code, old.reason], [410, 'Expired']);
  const { metadata } = await client.get(ConfigMap, { name: 'a', namespace });
  const future = next(String(Number(metadata.resourceVersion) + 1));
  await client.update(ConfigMap, { metadata: { name: 'a', namespace }, data: { count: 'not told' } });
  await client.update(ConfigMap, { metadata: { name: 'b', namespace }, data: { count: 'told' } });
  assert.equal(await future, 'MODIFIED b');
  await stop();
});
