import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Http2Request } from './request.ts';

test('a request knows its peer while there is one, and can be asked for it when it is gone', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => {});
  client.request({ ':path': '/version?a=b', accept: 'application/json' }).on('error', () => {});
  const [stream, headers, , rawHeaders] = (await once(server, 'stream')) as [
    ServerHttp2Stream,
    IncomingHttpHeaders,
    number,
    string[],
  ];
  stream.on('error', () => {});
  const request = new Http2Request(stream, headers, rawHeaders);
  const { method, url, socket } = request;
  assert.deepEqual([method, url, socket.remoteAddress], ['GET', '/version?a=b', '127.0.0.1']);
  const closed = once(request.session, 'close');
  client.destroy();
  await closed;
  assert.equal(request.socket.remoteAddress, undefined);
});
