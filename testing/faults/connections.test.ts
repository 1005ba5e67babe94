import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { HttpFront } from '#apiserver/http/front.ts';
import { ServerMetrics } from '#apiserver/http/metrics.ts';
import type { ApiServer } from '#apiserver/server.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { ensurePki, type Pki } from '../../src/cmd/pki.ts';
import { startApiServer, type TestApiServer } from '../cluster.ts';

const namespace = 'default';
const limits = { handshakeMs: 300, headersMs: 300, requestMs: 600, idleMs: 300 };
/** Nothing in here takes longer unless a limit does not work. */
const waitMs = 20_000;
const moreThanAnyBacklog = 13_000;

describe('clients that misbehave', () => {
  let folder: string;
  let pki: Pki;
  let api: TestApiServer;
  let front: HttpFront;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proa-front-'));
    pki = await ensurePki(folder, { hosts: ['127.0.0.1'], now: systemClock().now() });
    api = await startApiServer({ authentication: { clientCa: pki.authority.certificate } });
    front = await open(api.server);
  });

  after(async () => {
    await front.close();
    await api.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function open(server: ApiServer): Promise<HttpFront> {
    return HttpFront.listen({
      server,
      routes: { connect: async () => false, path: async () => {} },
      metrics: new ServerMetrics(server),
      upgrade: (_request, socket) => socket.destroy(),
      serving: pki.serving,
      clientCa: pki.authority.certificate,
      host: '127.0.0.1',
      port: 0,
      limits,
      log: silentLog,
    });
  }

  const identity = () => ({ ca: pki.authority.certificate, cert: pki.admin.certificate, key: pki.admin.key });

  async function tls(alpn: string): Promise<TLSSocket> {
    const socket = connectTls({ port: front.port, host: '127.0.0.1', ALPNProtocols: [alpn], ...identity() });
    await once(socket, 'secureConnect');
    return socket;
  }

  async function ends(socket: NodeJS.EventEmitter): Promise<void> {
    socket.on('error', () => {});
    (socket as TLSSocket).resume?.();
    await once(socket, 'close', { signal: AbortSignal.timeout(waitMs) });
  }

  async function post(body: string, headers: Record<string, string> = {}): Promise<{ code?: number; reason?: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ code?: number; reason?: string }>();
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const options = { port: front.port, host: '127.0.0.1', method: 'POST', path, ...identity() };
    const sent = request(
      { ...options, headers: { 'content-type': 'application/json', ...headers } },
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        resolve(JSON.parse(text));
      },
    );
    sent.on('error', reject);
    sent.end(body);
    return promise;
  }

  test('who never finishes the TLS handshake is cut off', async () => {
    await ends(connect(front.port, '127.0.0.1'));
  });

  test('who sends headers slowly is cut off', async () => {
    const socket = await tls('http/1.1');
    socket.write('GET /api HTTP/1.1\r\nhost: a\r\n');
    await ends(socket);
  });

  test('who sends a body slowly is cut off, over HTTP/1.1 and HTTP/2', async () => {
    const socket = await tls('http/1.1');
    socket.write(
      `POST /api/v1/namespaces/${namespace}/configmaps HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\ncontent-type: application/json\r\n\r\n{`,
    );
    await ends(socket);
    const session = connectHttp2(`https://127.0.0.1:${front.port}`, identity());
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json' });
    stream.write('{');
    await ends(stream);
    session.destroy();
  });

  test('a connection without requests ends', async () => {
    await ends(connectHttp2(`https://127.0.0.1:${front.port}`, identity()));
  });

  test('a body that is too large is refused before it is read, and nothing is stored', async () => {
    const huge = JSON.stringify({ metadata: { name: 'huge' }, data: { a: 'x'.repeat(3 * 1024 * 1024) } });
    const { code, reason } = await post(huge);
    assert.deepEqual({ code, reason }, { code: 413, reason: 'RequestEntityTooLarge' });
    const { items } = await api.client.list(ConfigMap, { namespace });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      [],
    );
  });

  test('a watcher that never reads is cut off, and what it did not take is dropped', async () => {
    const socket = await tls('http/1.1');
    socket.write(`GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nhost: a\r\n\r\n`);
    await once(socket, 'readable');
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(waitMs) });
    socket.on('error', () => {});
    socket.pause();
    const data = { text: 'x'.repeat(4_000) };
    await api.client.create(ConfigMap, { metadata: { name: 'busy', namespace }, data });
    for (let write = 0; write < moreThanAnyBacklog; write++) {
      const body = { data: { ...data, count: String(write) } };
      await api.client.patch(ConfigMap, { namespace, name: 'busy' }, { type: 'merge', body });
      if (write % 100 === 0) await nextTurn();
    }
    // What the kernel holds arrives; a watch that goes on would not close.
    socket.resume();
    await closed;
  });
});
