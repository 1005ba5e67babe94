import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aborted } from '#base/tasks.ts';
import { ConfigMap, Event } from '#kinds/generated/handles.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import { defineController, done, runController } from './controller.ts';
import { createEventRecorder, eventLimits } from './events.ts';
import { createInformers } from './informers.ts';
import { runWithLeadership } from './leader-election.ts';
import { byNamespace } from './object-cache.ts';

const namespace = 'default';
let api: TestApiServer;
const stop = new AbortController();

before(async () => {
  api = await startApiServer();
});

after(async () => {
  stop.abort();
  await api.stop();
});

test('an informer shows what there is and follows what changes; its indexes follow too', async () => {
  const { client, environment } = api;
  await client.create(ConfigMap, { metadata: { name: 'first', namespace } });
  const informers = createInformers({ client, environment });
  const maps = informers.of(ConfigMap);
  assert.equal(informers.of(ConfigMap), maps);
  const index = maps.index('namespace', byNamespace);
  const seen: string[] = [];
  maps.subscribe({
    added: ({ metadata }) => seen.push(`added ${metadata.name}`),
    updated: (_, { metadata }) => seen.push(`updated ${metadata.name}`),
    deleted: ({ metadata }, { finalStateKnown }) => seen.push(`deleted ${metadata.name} ${finalStateKnown}`),
  });
  void informers.run(stop.signal);
  await maps.synced();
  const second = await client.create(ConfigMap, { metadata: { name: 'second', namespace } });
  await client.update(ConfigMap, { ...second, data: { a: 'b' } });
  await client.delete(ConfigMap, { name: 'first', namespace });
  await environment.clock.advance(0);
  assert.deepEqual(seen, ['added first', 'added second', 'updated second', 'deleted first true']);
  assert.deepEqual(
    index.get(namespace).map(({ metadata }) => metadata.name),
    ['second'],
  );
  const late: string[] = [];
  maps.subscribe({ added: ({ metadata }) => late.push(metadata.name ?? '') });
  assert.deepEqual(late, ['second']);
});

test('a watch that was cut off goes on without losing anything', async () => {
  const { client, environment } = api;
  const informers = createInformers({ client, environment });
  const maps = informers.of(ConfigMap);
  void informers.run(stop.signal);
  await maps.synced();
  // Longer than any watch is asked to last.
  await environment.clock.advance(11 * 60_000);
  await client.create(ConfigMap, { metadata: { name: 'after', namespace } });
  await environment.clock.advance(100);
  assert.notEqual(maps.get(namespace, 'after'), undefined);
});

test('a reconcile sees its own writes in the cache, however often it is asked', async () => {
  const { client, environment } = api;
  const informers = createInformers({ client, environment });
  const counts: number[] = [];
  const counting = defineController({
    name: 'counting',
    setup(context) {
      const maps = context.watch(ConfigMap);
      context.enqueue('key');
      return async (key, turn) => {
        const made = [...maps.list()].filter(({ metadata }) => metadata.labels?.['made'] === 'yes').length;
        counts.push(made);
        if (made === 5) return done;
        await turn.client.create(ConfigMap, { metadata: { name: `made-${made}`, namespace, labels: { made: 'yes' } } });
        context.enqueue(key);
        return done;
      };
    },
  });
  void informers.run(stop.signal);
  void runController(counting, { client, informers, environment }, stop.signal);
  await environment.clock.advance(1_000);
  assert.deepEqual(counts, [0, 1, 2, 3, 4, 5]);
});

test('an update has one turn for each key that its objects name, however many of them name it', async () => {
  const { client, environment } = api;
  const informers = createInformers({ client, environment });
  const turns: string[] = [];
  const following = defineController({
    name: 'following',
    setup(context) {
      context.watch(ConfigMap, ({ metadata: { name = '', labels } }) =>
        name === 'moving' ? ['always', `of ${labels?.['owner']}`] : [],
      );
      return async (key) => {
        turns.push(key);
        return done;
      };
    },
  });
  void informers.run(stop.signal);
  void runController(following, { client, informers, environment }, stop.signal);
  const moving = await client.create(ConfigMap, { metadata: { name: 'moving', namespace, labels: { owner: 'a' } } });
  await environment.clock.advance(1_000);
  turns.length = 0;
  await client.update(ConfigMap, { ...moving, metadata: { ...moving.metadata, labels: { owner: 'b' } } });
  await environment.clock.advance(1_000);
  assert.deepEqual(turns.sort(), ['always', 'of a', 'of b']);
});

test('the same event is counted, similar ones are combined, and a flood is cut off', async () => {
  const { client, environment } = api;
  const events = createEventRecorder({ client, environment, component: 'tester', signal: stop.signal });
  const map = await client.create(ConfigMap, { metadata: { name: 'talked-about', namespace } });
  const say = (reason: string, message: string) => events.record(ConfigMap, map, { type: 'Normal', reason, message });
  for (let count = 0; count < 3; count++) say('Same', 'again');
  for (let count = 0; count < 12; count++) say('Similar', `number ${count}`);
  for (let count = 0; count < 100; count++) say('Flood', 'drop');
  await environment.clock.advance(1_000);
  const { items } = await client.list(Event, { namespace, fieldSelector: 'involvedObject.name=talked-about' });
  const of = (reason: string) => items.filter((event) => event.reason === reason);
  assert.deepEqual(
    of('Same').map(({ count }) => count),
    [3],
  );
  assert.equal(of('Similar').length, 10);
  assert.ok(of('Similar').some(({ message }) => message?.startsWith('(combined from similar events): ')));
  const total = items.reduce((sum, { count = 0 }) => sum + count, 0);
  assert.equal(total, eventLimits.burst);
});

test('one of two candidates leads; when it leaves, the other takes over', async () => {
  const { client, environment } = api;
  const leading: string[] = [];
  const candidate = (identity: string, signal: AbortSignal) =>
    runWithLeadership(
      { client, environment, name: 'election', namespace: 'kube-system', identity },
      async (lead) => {
        leading.push(identity);
        await aborted(lead);
      },
      signal,
    );
  const first = new AbortController();
  const one = candidate('one', first.signal);
  await environment.clock.advance(100);
  void candidate('two', stop.signal);
  await environment.clock.advance(60_000);
  assert.deepEqual(leading, ['one']);
  first.abort();
  await environment.clock.advance(5_000);
  await one;
  assert.deepEqual(leading, ['one', 'two']);
});
