import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { sleep, systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { AuditEvent } from './event.ts';
import { TruncatingBackend } from './truncation.ts';
import { AuditWebhook } from './webhook-backend.ts';

const environment = { clock: systemClock({ keepAlive: true }), random: seededRandom(1), log: silentLog };
let folder: string;
let configFile: string;
let receiver: Server;
/** Identities of the events of each list that came. */
let lists: string[][] = [];
/** How many more lists are refused. */
let refusals = 0;

before(async () => {
  receiver = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { kind, items } = JSON.parse(text) as { readonly kind: string; readonly items: readonly AuditEvent[] };
    assert.equal(kind, 'EventList');
    const refused = refusals > 0;
    if (refused) refusals--;
    else lists.push(items.map(({ auditID }) => auditID));
    response.writeHead(refused ? 500 : 200).end('{}');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  folder = mkdtempSync(join(tmpdir(), 'proa-audit-'));
  configFile = join(folder, 'webhook.yaml');
  const { port } = receiver.address() as AddressInfo;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'receiver', cluster: { server: `http://127.0.0.1:${port}/audit` } }],
    contexts: [{ name: 'receiver', context: { cluster: 'receiver', user: '' } }],
    'current-context': 'receiver',
  };
  writeFileSync(configFile, JSON.stringify(config));
});

after(() => {
  receiver.close();
  receiver.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(() => {
  lists = [];
  refusals = 0;
});

function event(auditID: string, requestObject?: object): AuditEvent {
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Request',
    auditID,
    stage: 'RequestReceived',
    requestURI: '/api/v1/pods',
    verb: 'list',
    user: { username: 'jane', groups: [] },
    sourceIPs: ['127.0.0.1'],
    requestReceivedTimestamp: '2026-01-01T00:00:00.000000Z',
    stageTimestamp: '2026-01-01T00:00:00.000000Z',
    ...(requestObject === undefined ? {} : { requestObject }),
  };
}

test('events wait for each other, up to a number and a time, and what waits at the end is sent', async () => {
  const webhook = new AuditWebhook({ configFile, batch: { maxSize: 3, maxWaitMs: 50 } }, environment);
  for (const id of ['a', 'b', 'c', 'd']) assert.equal(webhook.write(event(id)), undefined);
  while (lists.length < 2) await sleep(environment.clock, 5);
  assert.deepEqual(lists, [['a', 'b', 'c'], ['d']]);
  webhook.write(event('e'));
  await webhook.close();
  assert.deepEqual(lists.at(-1), ['e']);
});

test('a list that is refused is sent again', async () => {
  refusals = 2;
  const webhook = new AuditWebhook({ configFile, initialBackoffMs: 5 }, environment);
  webhook.write(event('a'));
  await webhook.close();
  assert.deepEqual(lists, [['a']]);
});

test('blocking, a request waits for its event and goes on without it; strict, it does not go on', async () => {
  const options = { configFile, initialBackoffMs: 1 };
  const blocking = new AuditWebhook({ ...options, mode: 'blocking' }, environment);
  await blocking.write(event('a'));
  assert.deepEqual(lists, [['a']]);
  refusals = 5;
  await blocking.write(event('lost'));
  assert.deepEqual(lists, [['a']]);
  await blocking.close();
  const strict = new AuditWebhook({ ...options, mode: 'blocking-strict' }, environment);
  refusals = 5;
  await assert.rejects(async () => strict.write(event('refused')), { name: 'AuditFailure' });
  await strict.write(event('b'));
  assert.deepEqual(lists, [['a'], ['b']]);
  await strict.close();
});

test('an event that is too large goes without its objects, or not at all', () => {
  const seen: AuditEvent[] = [];
  const inner = { write: (each: AuditEvent) => void seen.push(each), close: async () => {} };
  const backend = new TruncatingBackend(inner, { maxEventBytes: 500 }, silentLog);
  backend.write(event('small', { a: 'b' }));
  backend.write(event('large', { a: 'b'.repeat(1000) }));
  backend.write({ ...event('huge'), requestURI: `/${'x'.repeat(1000)}` });
  assert.deepEqual(
    seen.map(({ auditID, requestObject, annotations }) => [auditID, requestObject, annotations]),
    [
      ['small', { a: 'b' }, undefined],
      ['large', undefined, { 'audit.k8s.io/truncated': 'true' }],
    ],
  );
});
