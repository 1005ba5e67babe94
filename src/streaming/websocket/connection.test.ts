import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { WebSocketConnection } from './connection.ts';
import { encodeFrame, opcode, WebSocketFrameReader } from './frames.ts';

const mask = Buffer.from([1, 2, 3, 4]);

/** What a server makes of bytes: the messages, and the code with which it closed. */
async function hear(
  bytes: Buffer,
): Promise<{ readonly messages: readonly string[]; readonly code: number | undefined }> {
  const said: Buffer[] = [];
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      said.push(chunk);
      done();
    },
  });
  const connection = new WebSocketConnection(duplex, { role: { side: 'server' }, head: bytes });
  duplex.push(null);
  const messages: string[] = [];
  try {
    for await (const { data } of connection.messages()) messages.push(Buffer.from(data).toString());
  } catch {
    // Whether the iteration ends or fails, the close frame says why.
  }
  const reader = new WebSocketFrameReader({ expectMask: false, maxPayloadBytes: 1024 });
  const close = [...reader.read(Buffer.concat(said))].find((frame) => frame.opcode === opcode.close);
  return { messages, code: close?.payload.readUInt16BE(0) };
}

/** A frame that is not the last of its message. */
function fragment(code: number, text: string): Buffer {
  const [header, ...rest] = encodeFrame(code, Buffer.from(text), mask);
  header![0]! &= 0x7f;
  return Buffer.concat([header!, ...rest]);
}

test('a message in fragments is one message', async () => {
  const last = Buffer.concat(encodeFrame(opcode.continuation, Buffer.from('c'), mask));
  const { messages } = await hear(Buffer.concat([fragment(opcode.text, 'a'), fragment(0, 'b'), fragment(0, ''), last]));
  assert.deepEqual(messages, ['abc']);
});

test('a message of endlessly many fragments, even empty ones, is cut off', async () => {
  const bytes = Buffer.concat([fragment(opcode.binary, 'a'), ...Array<Buffer>(70_000).fill(fragment(0, ''))]);
  assert.deepEqual(await hear(bytes), { messages: [], code: 1009 });
});
