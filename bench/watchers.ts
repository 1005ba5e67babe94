import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Access } from '#testing/access.ts';
import { LoadClient } from './load.ts';

export interface WatchLoad {
  readonly watchers: number;
  /** Writes a second, at an even pace, whatever becomes of earlier ones. */
  readonly perSecond: number;
  readonly seconds: number;
}

export interface WatchFigures {
  /** From the moment when a write is sent until a watcher has its event. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Writes that were acknowledged a second. */
  readonly eventsPerSecond: number;
  /** Of all the events that all the watchers should have had, 0 to 1. */
  readonly delivered: number;
}

const path = '/api/v1/namespaces/default/configmaps';
/** One in so many watchers is asked how late its events are; all are asked how many came. */
const sampleEvery = 10;
const writers = 64;
const ticksPerSecond = 100;
/** How long is waited for what has not come when the last write is done. */
const settleMs = 10_000;
const newLine = 0x0a;
const brace = 0x7d;
/** Where all connections are read into: what has come is looked at before the next is read. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const nameMark = Buffer.from('"name":"watched-');
/** What stands between a name's mark and its number: hexadecimal, another one in each run. */
const runLength = 8;

/** Many watchers of one resource while it changes: how late each hears of each change. */
export async function measureWatchers(access: Access, load: WatchLoad): Promise<WatchFigures> {
  const client = new LoadClient(access, writers);
  const { metadata } = JSON.parse((await client.call('GET', `${path}?limit=1`)).toString());
  const sentAt: number[] = [];
  const delays: number[] = [];
  const watchers: Watcher[] = [];
  for (let index = 0; index < load.watchers; index++) {
    const onEvent = (event: number): void => void delays.push(performance.now() - sentAt[event]!);
    const watcher = new Watcher(access, metadata.resourceVersion, index % sampleEvery === 0 ? onEvent : undefined);
    watchers.push(watcher);
    // A server takes only so many handshakes at once.
    if (index % 50 === 49) await Promise.all(watchers.slice(-50).map(({ opened }) => opened));
  }
  await Promise.all(watchers.map(({ opened }) => opened));
  // The writers' connections are open before the first write, as the watchers' are: a handshake is no event's delay.
  await Promise.all(Array.from({ length: writers }, () => client.call('GET', `${path}?limit=1`)));
  const wanted = load.perSecond * load.seconds;
  const started = performance.now();
  await writeEvenly(client, wanted, load.perSecond, sentAt);
  const elapsedMs = performance.now() - started;
  const expected = wanted * load.watchers;
  const received = (): number => watchers.reduce((sum, { events }) => sum + events, 0);
  const deadline = performance.now() + settleMs;
  while (received() < expected && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  const delivered = received() / expected;
  for (const watcher of watchers) watcher.close();
  client.close();
  delays.sort((left, right) => left - right);
  const at = (share: number): number => delays[Math.floor((delays.length - 1) * share)] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99), eventsPerSecond: (wanted * 1000) / elapsedMs, delivered };
}

async function writeEvenly(client: LoadClient, count: number, perSecond: number, sentAt: number[]): Promise<void> {
  const run = randomBytes(runLength / 2).toString('hex');
  const started = performance.now();
  const pending: Promise<unknown>[] = [];
  while (sentAt.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - started) * perSecond) / 1000));
    while (sentAt.length < due) {
      const name = `watched-${run}${sentAt.length}`;
      sentAt.push(performance.now());
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
      pending.push(client.call('POST', path, body));
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 / ticksPerSecond));
  }
  await Promise.all(pending);
}

/** One watch on a connection of its own, read as cheaply as can be: events end in a brace and a new line. */
class Watcher {
  readonly opened: Promise<void>;
  events = 0;
  readonly #socket: TLSSocket;
  readonly #onEvent: ((event: number) => void) | undefined;
  readonly #head = Promise.withResolvers<void>();
  #isOpen = false;
  /** The beginning of an event whose end has not come. */
  #rest: Buffer = Buffer.alloc(0);
  #lastByte = 0;

  constructor({ host, port, ca, cert, key }: Access, from: string, onEvent: ((event: number) => void) | undefined) {
    const callback = (bytes: number): boolean => {
      this.#take(readBuffer.subarray(0, bytes));
      return true;
    };
    // Node's types know `onread` for connections without TLS only.
    const reading: object = { onread: { buffer: readBuffer, callback } };
    this.#socket = connect({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'], ...reading });
    this.#onEvent = onEvent;
    this.#socket.on('error', () => {});
    this.opened = this.#open(from);
  }

  async #open(from: string): Promise<void> {
    await once(this.#socket, 'secureConnect');
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${from}`;
    this.#socket.write(`GET ${path}?${query} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n\r\n`);
    await this.#head.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    if (!this.#isOpen) {
      // The head of the answer: the watch has begun.
      this.#isOpen = true;
      this.#head.resolve();
    } else if (this.#onEvent === undefined) this.#count(part);
    else this.#readAll(part);
  }

  #count(part: Buffer): void {
    for (let end = part.indexOf(newLine); end >= 0; end = part.indexOf(newLine, end + 1)) {
      if ((end === 0 ? this.#lastByte : part[end - 1]) === brace) this.events++;
    }
    this.#lastByte = part[part.length - 1]!;
  }

  #readAll(part: Buffer): void {
    const bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    let start = 0;
    for (let end = bytes.indexOf(newLine); end >= 0; end = bytes.indexOf(newLine, start)) {
      if (bytes[end - 1] === brace) {
        this.events++;
        this.#read(bytes.subarray(start, end));
      }
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
  }

  #read(event: Buffer): void {
    const at = event.indexOf(nameMark);
    if (at < 0) return;
    const number = at + nameMark.length + runLength;
    this.#onEvent!(Number.parseInt(event.toString('latin1', number, number + 9), 10));
  }
}
