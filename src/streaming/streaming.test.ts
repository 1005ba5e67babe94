import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, test } from 'node:test';
import WebSocket from 'ws';
import { systemClock } from '#base/clock.ts';
import { secureRandom } from '#base/random.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ByteStream, ProcessExit, RemoteProcess } from '#machinery/node-api.ts';
import { ByteQueue } from './byte-queue.ts';
import { forwardPortsOverSpdy, forwardPortsOverWebSocket } from './port-forward/client.ts';
import { servePortForward } from './port-forward/server.ts';
import { commandStreams, serveRemoteCommand } from './remote-command/server.ts';
import { runCommandOverSpdy } from './remote-command/spdy-client.ts';
import { runCommandOverWebSocket } from './remote-command/websocket-client.ts';

const clock = systemClock();
const random = secureRandom();
const everything = { stdin: true, stdout: true, stderr: true, tty: false };

/** What the process under test did besides its output. */
interface Ledger {
  destroyed: number;
  readonly sizes: unknown[];
  readonly destroyedOnce: PromiseWithResolvers<void>;
}

/** A process that copies stdin to stdout until its input ends, says `bye` on stderr and exits with `exit`. */
function copyProcess(exit: ProcessExit, ledger: Ledger): RemoteProcess {
  const stdout = new ByteQueue({ limitBytes: 64 * 1024 });
  const stderr = new ByteQueue({ limitBytes: 64 * 1024 });
  const ended = Promise.withResolvers<ProcessExit>();
  return {
    stdin: {
      write: (bytes) => stdout.push(bytes),
      async end() {
        await stderr.push(Buffer.from('bye'));
        stdout.end();
        stderr.end();
        ended.resolve(exit);
      },
    },
    stdout,
    stderr,
    resize: async (size) => void ledger.sizes.push(size),
    exit: ended.promise,
    destroy() {
      ledger.destroyed++;
      ledger.destroyedOnce.resolve();
      stdout.end();
      stderr.end();
      ended.resolve({ outcome: 'failed', message: 'destroyed' });
    },
  };
}

function newLedger(): Ledger {
  return { destroyed: 0, sizes: [], destroyedOnce: Promise.withResolvers<void>() };
}

async function serve(handle: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): Promise<URL> {
  const server = createServer();
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    handle(request, socket, head);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

function serveCopy(exit: ProcessExit, ledger = newLedger()): Promise<URL> {
  return serve((request, socket, head) => {
    const query = new URL(request.url!, 'http://host').searchParams;
    const streams = query.size === 0 ? everything : commandStreams(query);
    void serveRemoteCommand({ request, socket, head, clock, streams, start: async () => copyProcess(exit, ledger) });
  });
}

const clients = {
  'SPDY v4': (url: URL) => runCommandOverSpdy({ url, signal: new AbortController().signal }, everything),
  'WebSocket v5': (url: URL) =>
    runCommandOverWebSocket({ url, signal: new AbortController().signal }, everything, random),
} as const;

for (const [name, run] of Object.entries(clients)) {
  test(`${name}: large input and output pass whole, then the end of input and the exit code`, async () => {
    const process = await run(await serveCopy({ outcome: 'exited', code: 7 }));
    const chunk = Buffer.alloc(64 * 1024, 'k');
    const writing = (async () => {
      for (let count = 0; count < 160; count++) await process.stdin!.write(chunk);
      await process.stdin!.end();
    })();
    let received = 0;
    for await (const bytes of process.stdout!) received += bytes.length;
    await writing;
    assert.equal(received, 160 * chunk.length);
    assert.equal(await text(process.stderr!), 'bye');
    assert.deepEqual(await process.exit, { outcome: 'exited', code: 7 });
  });

  test(`${name}: a command that could not start ends in its message`, async () => {
    const process = await run(await serveCopy({ outcome: 'failed', message: 'no such file' }));
    await process.stdin!.end();
    assert.equal(await text(process.stdout!), '');
    assert.deepEqual(await process.exit, { outcome: 'failed', message: 'Internal error occurred: no such file' });
  });

  test(`${name}: a client that vanishes lets the process go`, async () => {
    const ledger = newLedger();
    const process = await run(await serveCopy({ outcome: 'exited', code: 0 }, ledger));
    await process.stdin!.write(Buffer.from('x'));
    process.destroy();
    await ledger.destroyedOnce.promise;
  });
}

test('an error of the start is answered in place of the upgrade', async () => {
  const url = await serve((request, socket, head) => {
    const start = async () => {
      throw new ApiError(400, 'BadRequest', 'container web is not valid for pod a');
    };
    void serveRemoteCommand({ request, socket, head, clock, streams: everything, start });
  });
  for (const run of Object.values(clients)) {
    await assert.rejects(run(url), { name: 'ApiError', message: 'container web is not valid for pod a' });
  }
});

test('the terminal is resized and the streams that nobody asked for stay away', async () => {
  const ledger = newLedger();
  const url = await serveCopy({ outcome: 'exited', code: 0 }, ledger);
  url.search = '?stdin=true&stdout=true&tty=true';
  const streams = { stdin: true, stdout: true, stderr: false, tty: true };
  const process = await runCommandOverSpdy({ url, signal: new AbortController().signal }, streams);
  await process.resize({ width: 80, height: 24 });
  await process.resize({ width: 132, height: 50 });
  await process.stdin!.write(Buffer.from('hi'));
  assert.equal(process.stderr, undefined);
  for await (const bytes of process.stdout!) {
    assert.equal(Buffer.from(bytes).toString(), 'hi');
    break;
  }
  process.destroy();
  await ledger.destroyedOnce.promise;
  assert.deepEqual(ledger.sizes, [
    { width: 80, height: 24 },
    { width: 132, height: 50 },
  ]);
});

test('base64 channels and older protocols are spoken with any WebSocket client', async () => {
  const url = await serveCopy({ outcome: 'exited', code: 3 });
  url.protocol = 'ws:';
  const socket = new WebSocket(url, ['v4.base64.channel.k8s.io']);
  const messages: string[] = [];
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('open', () => socket.send(`0${Buffer.from('hello').toString('base64')}`));
  await new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      messages.push(String(data));
      if (messages.length === 2) resolve();
    });
  });
  assert.deepEqual(messages, ['1', `1${Buffer.from('hello').toString('base64')}`]);
  socket.close();
  await closed;
});

/** A pod whose port 80 echoes, and whose others refuse. */
async function openEcho(port: number): Promise<ByteStream> {
  if (port !== 80) throw new Error('connection refused');
  const queue = new ByteQueue({ limitBytes: 64 * 1024 });
  return {
    readable: queue,
    write: (bytes) => queue.push(bytes),
    end: async () => queue.end(),
    destroy: () => queue.end(),
  };
}

const forwarders = {
  SPDY: (url: URL) => forwardPortsOverSpdy({ url, signal: new AbortController().signal }),
  'SPDY in a WebSocket': (url: URL) => forwardPortsOverWebSocket({ url, signal: new AbortController().signal }, random),
} as const;

for (const [name, connect] of Object.entries(forwarders)) {
  test(`port-forward over ${name}: many connections at a time, and a refused one does not harm them`, async () => {
    const url = await serve((request, socket, head) => {
      void servePortForward({ request, socket, head, clock, podName: 'web', open: openEcho });
    });
    const session = await connect(url);
    const streams = await Promise.all(Array.from({ length: 10 }, () => session.open(80)));
    const refused = await session.open(81);
    await assert.rejects(text(refused.readable), /error forwarding port 81 to pod web: connection refused/);
    const answers = streams.map((stream) => text(stream.readable));
    const sent = streams.map((_, index) => String(index).repeat(300_000));
    await Promise.all(
      streams.map(async (stream, index) => {
        await stream.write(Buffer.from(sent[index]!));
        await stream.end();
      }),
    );
    assert.deepEqual(await Promise.all(answers), sent);
    session.close();
    await session.closed;
  });
}

test('port-forward over plain channels begins with the port on both channels', async () => {
  const url = await serve((request, socket, head) => {
    void servePortForward({ request, socket, head, clock, podName: 'web', open: openEcho });
  });
  url.protocol = 'ws:';
  url.search = '?ports=80';
  const socket = new WebSocket(url, ['v4.channel.k8s.io']);
  const messages: number[][] = [];
  await new Promise<void>((resolve) => {
    socket.on('open', () => socket.send(Buffer.from([0, 104, 105])));
    socket.on('message', (data) => {
      messages.push([...(data as Buffer)]);
      if (messages.length === 3) resolve();
    });
  });
  assert.deepEqual(messages, [
    [0, 80, 0],
    [1, 80, 0],
    [0, 104, 105],
  ]);
  socket.terminate();
});

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}
