import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '#base/metrics.ts';
import { FlowSchema, PriorityLevelConfiguration } from '#kinds/generated/handles.ts';
import { ApiError } from '#machinery/errors.ts';
import { startApiServer } from '#testing/cluster.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';
import { FlowControl } from './flow-control.ts';
import { finishPermit, type Permit } from './level.ts';
import { describeFlowControl, FlowMetrics } from './metrics.ts';
import { dealHand } from './shuffle.ts';

const noQuery = new URLSearchParams();
const never = new AbortController().signal;
const create: RequestInfo = {
  type: 'resource',
  verb: 'create',
  group: '',
  version: 'v1',
  resource: 'configmaps',
  subresource: '',
  namespace: 'default',
  name: '',
  rest: '',
};

function user(name: string, ...groups: string[]): UserInfo {
  return { name, groups: [...groups, 'system:authenticated'] };
}

/** A server of 60 seats: the level of ordinary users has a few of them. */
async function start() {
  const api = await startApiServer();
  const control = new FlowControl(api.server.resources, api.environment, {
    maxReadsInFlight: 40,
    maxWritesInFlight: 20,
  });
  const admit = (who: UserInfo, signal = never) => control.admit(create, who, noQuery, signal);
  return { ...api, control, admit };
}

test('a flood by one user leaves another one waiting for a handful of requests at most', async () => {
  const { control, admit, environment, stop } = await start();
  const running: Permit[] = [];
  let refused = 0;
  const served: string[] = [];
  const send = (who: UserInfo): void => {
    const begun = (permit: Permit) => {
      served.push(who.name);
      running.push(permit);
    };
    const answer = admit(who);
    if (answer instanceof Promise) answer.then(begun, () => refused++);
    else begun(answer!);
  };
  const metrics = new Metrics();
  control.observer = new FlowMetrics(metrics);
  describeFlowControl(metrics, control);
  const [flood, modest] = [user('flood'), user('modest')];
  for (let request = 0; request < 3000; request++) send(flood);
  const level = control.levels().find(({ name }) => name === 'global-default')!;
  assert.equal(level.executingSeats, level.seats, 'every seat is taken');
  const told = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics.render())?.[1]);
  const labels = 'priority_level="global-default",flow_schema="global-default"';
  const entered = told(`apiserver_flowcontrol_request_queue_length_after_enqueue_count{${labels}}`);
  assert.ok(
    entered > 0 && entered === told('apiserver_current_inqueue_requests{request_kind="mutating"}'),
    'who waits',
  );
  await environment.clock.advance(0);
  assert.ok(refused > 2000, 'what fits in no queue is refused');
  for (let request = 0; request < 10; request++) send(modest);
  const before = served.length;
  for (let turn = 0; served.filter((name) => name === 'modest').length < 10; turn++) {
    assert.ok(turn < 100, `after ${turn} requests the modest user still waits`);
    finishPermit(running.shift()!);
    await environment.clock.advance(0);
  }
  const inBetween = served.slice(before).filter((name) => name === 'flood').length;
  assert.ok(inBetween <= 10 * 6 + 1, `${inBetween} requests of the flood went first`);
  await stop();
});

test('a request that waits too long is refused with 429 and told when to come again', async () => {
  const { environment, admit, control, stop } = await start();
  const taken: Permit[] = [];
  let waiting: Promise<Permit> | undefined;
  while (waiting === undefined) {
    const answer = admit(user('someone'));
    if (answer instanceof Promise) waiting = answer;
    else taken.push(answer!);
  }
  const outcome = waiting.then(
    () => 'served',
    (error: unknown) => error,
  );
  await environment.clock.advance(15_000);
  const error = await outcome;
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.code, error.reason, error.status.details?.retryAfterSeconds], [429, 'TooManyRequests', 1]);
  assert.deepEqual([...control.rejected], [['global-default global-default time-out', 1]]);
  for (const permit of taken) finishPermit(permit);
  assert.equal(control.levels().find(({ name }) => name === 'global-default')?.executingSeats, 0);
  await stop();
});

test('administrators are exempt, and levels lend seats that they do not need', async () => {
  const { control, admit, client, environment, stop } = await start();
  const administrator = user('root', 'system:masters');
  for (let request = 0; request < 200; request++) assert.ok(!(admit(administrator) instanceof Promise));
  const level = control.levels().find(({ name }) => name === 'global-default')!;
  const nominal = level.seats;
  control.start(() => client);
  for (let request = 0; request < 100; request++) {
    const answer = admit(user('busy'));
    if (answer instanceof Promise) answer.catch(() => {});
  }
  await environment.clock.advance(10_000);
  assert.ok(level.seats > nominal, `${level.seats} seats are no more than ${nominal}`);
  control.stop();
  await stop();
});

test('a schema tells whether its level exists, and mandatory objects come back', async () => {
  const { client, environment, stop } = await startApiServer();
  const spec = { priorityLevelConfiguration: { name: 'absent' }, matchingPrecedence: 7 };
  await client.create(FlowSchema, { metadata: { name: 'mine' }, spec });
  await client.delete(PriorityLevelConfiguration, { name: 'catch-all' });
  await environment.clock.advance(1000);
  const schema = await client.get(FlowSchema, { name: 'mine' });
  assert.deepEqual(
    schema.status?.conditions?.map(({ type, status, reason }) => ({ type, status, reason })),
    [{ type: 'Dangling', status: 'True', reason: 'NotFound' }],
  );
  assert.equal((await client.get(PriorityLevelConfiguration, { name: 'catch-all' })).spec?.type, 'Limited');
  await stop();
});

test('a hand holds different queues, whatever the hash', () => {
  for (let hash = 0; hash < 5000; hash += 7) {
    const hand = dealHand(hash * 7_919_123, { queues: 64, handSize: 8 });
    assert.equal(new Set(hand).size, 8);
    assert.ok(hand.every((queue) => queue >= 0 && queue < 64));
  }
});
