import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { seededRandom } from '#base/random.ts';
import type { AnyResponse } from './any-http.ts';
import { Ending, spreading } from './ending.ts';
import { Http2Request } from './http2/request.ts';
import { Http2Response } from './http2/response.ts';

test('a server that ends answers what it has begun, and tells everybody else to come again', async (t) => {
  const ending = new Ending(true);
  const slow = Promise.withResolvers<AnyResponse>();
  const server = createServer(ending.around((_request, response) => slow.resolve(response)) as RequestListener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ask = async (): Promise<IncomingMessage> => {
    const [response] = (await once(get({ host: '127.0.0.1', port, agent: false }), 'response')) as [IncomingMessage];
    return response;
  };
  const first = ask();
  const begun = await slow.promise;
  assert.equal(ending.waits, false);
  ending.begin();
  assert.equal(ending.waits, true);
  const refused = await ask();
  const { 'retry-after': retryAfter, connection } = refused.headers;
  assert.deepEqual([refused.statusCode, retryAfter, connection], [429, '5', 'close']);
  assert.equal(await text(refused), 'The apiserver is shutting down, please try again later.\n');
  const closed = new Promise<void>((resolve) => begun.once('close', resolve));
  begun.end('done');
  assert.equal(await text(await first), 'done');
  await closed;
  assert.equal(ending.waits, false);
});

test('a connection over HTTP/2 is given up by chance, once its requests are answered', async (t) => {
  const serve = spreading((_request, response) => void response.end('answered'), 1, seededRandom(1));
  const server = createHttp2Server();
  server.on('stream', (stream, headers, _flags, raw) =>
    serve(new Http2Request(stream, headers, raw), new Http2Response(stream, { isHead: false })),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const goaway = once(session, 'goaway');
  assert.equal(await text(session.request({ ':path': '/' })), 'answered');
  await goaway;
  await once(session, 'close');
});
