/**
 * What any server in this language pays: TLS, HTTP and JSON as Proa does them, over Proa's store, and nothing between.
 * Whoever may, may do all; nothing is defaulted, validated, admitted, owned or watched by controllers. See README.md.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { PlainConnections } from '#apiserver/http/plain/connections.ts';
import type { PlainRequest } from '#apiserver/http/plain/request.ts';
import type { PlainResponse } from '#apiserver/http/plain/response.ts';
import { WatchRounds } from '#apiserver/http/watch-rounds.ts';
import { systemClock } from '#base/clock.ts';
import { randomUuid, secureRandom } from '#base/random.ts';
import { SqliteStore } from '#storage/sqlite/store.ts';

const [folder = '', port = ''] = process.argv.slice(2);
const clock = systemClock();
const random = secureRandom();
const store = await SqliteStore.open(join(folder, 'state.db'));
const pki = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8');
const rounds = new WatchRounds(clock);
const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };
/** Below the namespace. */
const objects = new Map<string, Map<string, Buffer>>();
/** Everything that was written since the first watcher came, each framed as an event in a chunk. */
const events: Buffer[] = [];
/** What the last watcher wrote, from where to where. */
let lastBatch = { from: 0, to: 0, bytes: Buffer.alloc(0) };
const wakers = new Set<() => void>();
let watchers = 0;

function send(response: PlainResponse, status: number, bytes: Uint8Array): void {
  response.writeHead(status, { ...headers, 'audit-id': randomUuid(random), 'content-length': bytes.length });
  response.end(bytes);
}

async function create(response: PlainResponse, namespace: string, body: Uint8Array): Promise<void> {
  const object = JSON.parse(Buffer.from(body).toString());
  const { name } = object.metadata;
  const creationTimestamp = new Date(clock.now()).toISOString();
  object.metadata = { ...object.metadata, namespace, uid: randomUuid(random), creationTimestamp };
  let bytes = Buffer.alloc(0);
  await store.commit({
    key: `/registry/configmaps/${namespace}/${name}`,
    expectedRevision: 0,
    value: (revision) => {
      object.metadata.resourceVersion = String(revision);
      bytes = Buffer.from(`${JSON.stringify(object)}\n`);
      return { bytes };
    },
  });
  if (!objects.has(namespace)) objects.set(namespace, new Map());
  objects.get(namespace)!.set(name, bytes);
  send(response, 201, bytes);
  if (watchers > 0) publish(bytes);
}

function publish(bytes: Buffer): void {
  const event = Buffer.concat([Buffer.from('{"type":"ADDED","object":'), bytes.subarray(0, -1), Buffer.from('}\n')]);
  events.push(Buffer.concat([Buffer.from(`${event.length.toString(16)}\r\n`), event, Buffer.from('\r\n')]));
  for (const wake of wakers) wake();
  wakers.clear();
}

async function watch(response: PlainResponse): Promise<void> {
  response.writeHead(200, headers);
  response.flushHeaders();
  response.chunkedEncoding = false;
  watchers++;
  response.once('close', () => watchers--);
  const moment = rounds.join();
  let at = events.length;
  for (let lastMs = 0; !response.destroyed; ) {
    if (at === events.length) await new Promise<void>((resolve) => wakers.add(resolve));
    const turn = rounds.turn(watchers, moment, lastMs);
    if (turn !== undefined) await turn;
    lastMs = clock.monotonic();
    if (lastBatch.from !== at || lastBatch.to !== events.length)
      lastBatch = { from: at, to: events.length, bytes: Buffer.concat(events.slice(at)) };
    at = events.length;
    if (!response.write(lastBatch.bytes)) await once(response, 'drain');
  }
}

/** Lists are put together once: no server is faster than one that has its answer ready. */
const lists = new Map<string, { readonly size: number; readonly bytes: Buffer }>();

function listOf(namespace: string): Buffer {
  const items = objects.get(namespace) ?? new Map<string, Buffer>();
  let list = lists.get(namespace);
  if (list?.size !== items.size) {
    const text = [...items.values()].map((bytes) => bytes.toString('latin1', 0, bytes.length - 1)).join(',');
    const metadata = { resourceVersion: String(store.revision) };
    list = { size: items.size, bytes: Buffer.from(`{"metadata":${JSON.stringify(metadata)},"items":[${text}]}\n`) };
    lists.set(namespace, list);
  }
  return list.bytes;
}

function serve({ method, url, body }: PlainRequest, response: PlainResponse): void {
  const [path = '', query = ''] = url.split('?');
  const [, , , , namespace = '', , name] = path.split('/');
  if (method === 'POST') void create(response, namespace, body);
  else if (query.includes('watch=true')) void watch(response);
  else if (query.includes('limit=1')) send(response, 200, Buffer.from('{"metadata":{"resourceVersion":"1"}}'));
  else if (name === undefined) send(response, 200, listOf(namespace));
  else send(response, 200, objects.get(namespace)!.get(name)!);
}

const limits = { headersMs: 30_000, requestMs: 120_000, idleMs: 90_000 };
const connections = new PlainConnections({ clock, limits }, serve, (socket) => socket.destroy());
const server = createServer(
  {
    ca: pki('ca.crt'),
    cert: pki('apiserver.crt'),
    key: pki('apiserver.key'),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  },
  (socket) => {
    socket.setNoDelay(true);
    connections.speak(socket);
  },
);
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
