import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { constants, createDeflate } from 'node:zlib';
import fc from '#testing/properties.ts';
import { StreamCutError } from '../byte-queue.ts';
import { SpdyConnection, streamWindowBytes } from './connection.ts';
import { headerDictionary } from './dictionary.ts';
import { dataFrameHeader, encodePing, encodeRstStream, encodeWindowUpdate, type Frame, FrameReader } from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './headers.ts';
import type { SpdyStream } from './stream.ts';

const headersArbitrary = fc.dictionary(fc.stringMatching(/^[a-z-]{1,20}$/), fc.string({ maxLength: 200 }), {
  noNullPrototype: false,
});

test('header blocks of a connection are read back in order, whoever compressed them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(headersArbitrary, { minLength: 1, maxLength: 5 }), async (blocks) => {
      const encoder = new HeaderEncoder();
      const decoder = new HeaderDecoder();
      for (const headers of blocks)
        assert.deepEqual({ ...(await decoder.decode(encoder.encode(headers))) }, { ...headers });
      decoder.close();
    }),
    { numRuns: 30 },
  );
});

test('a block that a real compressor wrote with the dictionary is understood', async () => {
  const deflate = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH });
  const pieces: Buffer[] = [];
  deflate.on('data', (piece) => pieces.push(piece));
  const plain = Buffer.concat([number(1), number(10), Buffer.from('streamtype'), number(5), Buffer.from('stdin')]);
  await new Promise((resolve) => deflate.write(plain, resolve));
  const decoder = new HeaderDecoder();
  assert.deepEqual({ ...(await decoder.decode(Buffer.concat(pieces))) }, { streamtype: 'stdin' });
  decoder.close();
});

test('a block that unpacks to more than headers may take is refused', async () => {
  const deflate = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH });
  const pieces: Buffer[] = [];
  deflate.on('data', (piece) => pieces.push(piece));
  await new Promise((resolve) => deflate.write(Buffer.alloc(1024 * 1024), resolve));
  const decoder = new HeaderDecoder();
  await assert.rejects(decoder.decode(Buffer.concat(pieces)), /too long/);
  decoder.close();
});

test('frames are the same wherever the byte stream is cut', () => {
  const bytes = Buffer.concat([
    encodePing(7),
    dataFrameHeader(1, 5, { fin: true }),
    Buffer.from('hello'),
    encodeWindowUpdate(3, 99),
    dataFrameHeader(3, 0, { fin: true }),
    encodeRstStream(5, 2),
  ]);
  const summary = (frames: readonly Frame[]): unknown[] => {
    const whole: unknown[] = [];
    let data = '';
    for (const frame of frames) {
      if (frame.type !== 'data') whole.push({ ...frame });
      else {
        data += Buffer.from(frame.bytes).toString();
        if (frame.fin) whole.push({ stream: frame.streamId, data });
        if (frame.fin) data = '';
      }
    }
    return whole;
  };
  const expected = summary([...new FrameReader().read(bytes)]);
  assert.equal(expected.length, 5);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), (cuts) => {
      const reader = new FrameReader();
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const frames = places.slice(1).flatMap((end, index) => [...reader.read(bytes.subarray(places[index]!, end))]);
      assert.deepEqual(summary(frames), expected);
    }),
  );
});

test('a large stream arrives whole in both directions, with half-close', async () => {
  const { client, server } = pair((stream) => void echo(stream));
  const stream = await client.open({ streamType: 'data' });
  const chunk = Buffer.alloc(100_000, 'x');
  const writing = (async () => {
    for (let count = 0; count < 50; count++) await stream.write(chunk);
    await stream.end();
  })();
  let received = 0;
  for await (const bytes of stream.readable) received += bytes.length;
  await writing;
  assert.equal(received, 5_000_000);
  client.close();
  await server.closed;
});

test('a slow reader stops its own stream and no other', async () => {
  const opened: SpdyStream[] = [];
  const { client, server } = pair((stream) => {
    opened.push(stream);
    if (opened.length === 2) void echo(stream);
  });
  const stuck = await client.open({});
  const lively = await client.open({});
  const blocked = stuck.write(Buffer.alloc(streamWindowBytes + 1));
  await lively.write(Buffer.from('still here'));
  await lively.end();
  assert.equal(await text(lively.readable), 'still here');
  opened[0]!.destroy();
  await assert.rejects(blocked, StreamCutError);
  client.destroy();
  await server.closed;
});

test('streams of a connection that vanishes are cut', async () => {
  const { client, server } = pair(() => {});
  const stream = await client.open({});
  await client.ping();
  server.destroy();
  await assert.rejects(text(stream.readable), StreamCutError);
  await assert.rejects(client.open({}), StreamCutError);
});

test('bytes that are not SPDY end the connection', async () => {
  const [left, right] = duplexPair();
  const connection = new SpdyConnection(left, { role: 'server' });
  right.write('GET / HTTP/1.1\r\nHost: example\r\n\r\n'.replace('GET', '\u00ffET'), 'latin1');
  await connection.closed;
});

function pair(onStream: (stream: SpdyStream) => void): { client: SpdyConnection; server: SpdyConnection } {
  const [left, right] = duplexPair();
  const server = new SpdyConnection(right, { role: 'server', onStream });
  return { server, client: new SpdyConnection(left, { role: 'client' }) };
}

async function echo(stream: SpdyStream): Promise<void> {
  for await (const chunk of stream.readable) await stream.write(chunk);
  await stream.end();
}

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
