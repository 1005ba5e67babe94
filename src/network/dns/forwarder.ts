import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode, type Question, RECURSION_DESIRED } from 'dns-packet';
import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import { randomInteger } from '#base/random.ts';

/** Where a resolver listens. */
export interface Resolver {
  readonly address: string;
  readonly port: number;
}

/** How long one resolver may take before the next is asked. */
const attemptTimeoutMs = 2_000;
/** When none answers they are left alone for so long: without a network every question would take seconds. */
const distrustMs = 5_000;
/** Questions under way at a time; more are answered with SERVFAIL. */
const maxInFlight = 1_000;
/** Answers kept, and for how long at most. */
const cacheEntries = 10_000;
const cacheSeconds = 30;

export interface ForwardedAnswer {
  readonly code: string;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

const failed: ForwardedAnswer = { code: 'SERVFAIL', answers: [], authorities: [], additionals: [] };

interface Kept {
  readonly answer: ForwardedAnswer;
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
}

/** Asks the machine's own resolvers what is not the cluster's to answer, and remembers what they say for a while. */
export class Forwarder {
  readonly #resolvers: readonly Resolver[];
  readonly #environment: Environment;
  readonly #cache = new LruCache<string, Kept>(cacheEntries);
  readonly #underWay = new Map<string, Promise<ForwardedAnswer>>();
  readonly #distrustedUntilMs = new Map<Resolver, number>();
  /** Asked first. */
  #lastGood: Resolver | undefined;

  constructor(resolvers: readonly Resolver[], environment: Environment) {
    this.#resolvers = resolvers;
    this.#environment = environment;
  }

  /** Never rejects but with the signal's reason: what cannot be found out is SERVFAIL. */
  async ask(question: Question, signal: AbortSignal): Promise<ForwardedAnswer> {
    const key = `${question.name.toLowerCase()} ${question.type}`;
    const kept = this.#cache.get(key);
    const now = this.#environment.clock.monotonic();
    if (kept !== undefined && kept.expiresAtMs > now) return aged(kept, now);
    const existing = this.#underWay.get(key);
    if (existing !== undefined) return existing;
    if (this.#underWay.size >= maxInFlight) return failed;
    const asking = this.#askAll(question, signal).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asking);
    const answer = await asking;
    const seconds = Math.min(cacheSeconds, lifetimeSeconds(answer));
    const storedAtMs = this.#environment.clock.monotonic();
    if (seconds > 0) this.#cache.set(key, { answer, storedAtMs, expiresAtMs: storedAtMs + seconds * 1000 });
    return answer;
  }

  async #askAll(question: Question, signal: AbortSignal): Promise<ForwardedAnswer> {
    const { clock } = this.#environment;
    const now = clock.monotonic();
    const trusted = this.#resolvers
      .filter((resolver) => (this.#distrustedUntilMs.get(resolver) ?? 0) <= now)
      .sort((left, right) => Number(right === this.#lastGood) - Number(left === this.#lastGood));
    // Twice each: a single datagram may get lost.
    for (const resolver of [...trusted, ...trusted]) {
      try {
        const answer = await this.#askOne(question, resolver, signal);
        this.#lastGood = resolver;
        return answer;
      } catch {
        signal.throwIfAborted();
      }
    }
    for (const resolver of trusted) this.#distrustedUntilMs.set(resolver, clock.monotonic() + distrustMs);
    return failed;
  }

  async #askOne(question: Question, resolver: Resolver, signal: AbortSignal): Promise<ForwardedAnswer> {
    const { clock, random } = this.#environment;
    const id = randomInteger(random, 0x10000);
    const query = encode({
      type: 'query',
      id,
      flags: RECURSION_DESIRED,
      questions: [question],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    });
    const isAnswer = (packet: DecodedPacket): boolean =>
      packet.id === id && packet.flag_qr && packet.questions?.[0]?.name.toLowerCase() === question.name.toLowerCase();
    const stop = new AbortController();
    const over = AbortSignal.any([signal, stop.signal]);
    const late = sleep(clock, attemptTimeoutMs, over).then(() => Promise.reject(new Error('no answer in time')));
    late.catch(() => {});
    try {
      const packet = await Promise.race([
        late,
        askOverUdp(query, resolver, isAnswer, over).then((answer) =>
          answer.flag_tc ? askOverTcp(query, resolver, over) : answer,
        ),
      ]);
      return forwarded(packet);
    } finally {
      stop.abort();
    }
  }
}

function forwarded(packet: DecodedPacket): ForwardedAnswer {
  return {
    // dns-packet puts the code's name there, which its type does not say.
    code: (packet as DecodedPacket & { readonly rcode: string }).rcode,
    answers: packet.answers ?? [],
    authorities: packet.authorities ?? [],
    additionals: (packet.additionals ?? []).filter((record) => record.type !== 'OPT'),
  };
}

function askOverUdp(
  query: Buffer,
  resolver: Resolver,
  isAnswer: (packet: DecodedPacket) => boolean,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    // A socket of its own, and so a port of its own, makes answers hard to forge.
    const socket = createSocket({ type: resolver.address.includes(':') ? 'udp6' : 'udp4', signal });
    socket.on('message', (message) => {
      const packet = tryDecode(message);
      if (packet === undefined || !isAnswer(packet)) return;
      resolve(packet);
      socket.close();
    });
    socket.on('error', (error) => {
      reject(error);
      socket.close();
    });
    socket.on('close', () => reject(new Error('closed')));
    socket.connect(resolver.port, resolver.address, () => socket.send(query));
  });
}

function askOverTcp(query: Buffer, resolver: Resolver, signal: AbortSignal): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: resolver.address, port: resolver.port, signal });
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const packet = tryDecode(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (packet === undefined) reject(new Error('malformed answer'));
      else resolve(packet);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed')));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}

export function tryDecode(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

/** How long the answer holds by its own word: the shortest time of a record, or what the zone says for "no". */
function lifetimeSeconds({ code, answers, authorities }: ForwardedAnswer): number {
  if (code !== 'NOERROR' && code !== 'NXDOMAIN') return 0;
  const records = answers.length > 0 ? answers : authorities;
  const times = records.map((record) => ('ttl' in record ? (record.ttl ?? 0) : 0));
  const soa = answers.length > 0 ? undefined : authorities.find((record) => record.type === 'SOA');
  if (soa?.type === 'SOA') times.push(soa.data.minimum ?? 0);
  return times.length === 0 ? 0 : Math.min(...times);
}

function aged({ answer, storedAtMs }: Kept, nowMs: number): ForwardedAnswer {
  const seconds = Math.floor((nowMs - storedAtMs) / 1000);
  const older = (records: readonly Answer[]): readonly Answer[] =>
    records.map((record) => ('ttl' in record ? { ...record, ttl: Math.max(0, (record.ttl ?? 0) - seconds) } : record));
  return { ...answer, answers: older(answer.answers), authorities: older(answer.authorities) };
}

/** The resolvers of resolv.conf(5), without those that are ourselves. */
export async function hostResolvers(own: readonly string[], path = '/etc/resolv.conf'): Promise<readonly Resolver[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map(([, address]) => ({ address: address!, port: 53 }))
    .filter(({ address }) => !own.includes(address));
}
