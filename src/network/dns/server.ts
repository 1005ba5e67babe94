import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  encode,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Clock, Timer } from '#base/clock.ts';
import { tryDecode } from './forwarder.ts';

/** What a question is answered with. */
export interface DnsAnswer {
  /** The name of the response code, for example `NXDOMAIN`. */
  readonly code: string;
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

export type AnswerQuestion = (question: Question, signal: AbortSignal) => Promise<DnsAnswer>;

/** Without a word from the client a UDP answer may have this many bytes (RFC 1035). */
const classicUdpBytes = 512;
/** What we send at most, whatever the client would take: fits any link without fragments. */
const maxUdpBytes = 1232;
/** Connections over TCP at a time; each may send one question after another. */
const maxTcpConnections = 256;
/** TCP connections without a question are closed after this. */
const tcpIdleMs = 10_000;

/** How many ports are tried when any will do. */
const maxPortsTried = 10;

const codes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/**
 * Serves DNS over UDP and TCP until the signal aborts. Resolves, once both are bound, with the promise of the end.
 * Rejects when the address cannot be bound.
 */
export async function serveDns(
  options: Binding,
  signal: AbortSignal,
): Promise<{ readonly port: number; readonly ended: Promise<void> }> {
  const { udp, tcp } = await bindBoth(options, signal);
  const { port } = udp.address();
  const ended = Promise.all([closed(udp), closed(tcp)]).then(() => {});
  const stop = () => {
    udp.close();
    tcp.close();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return { port, ended };
}

/** A port that is free for datagrams may be taken for connections: of any port another one does as well. */
async function bindBoth(
  options: Binding,
  signal: AbortSignal,
): Promise<{ readonly udp: Socket; readonly tcp: Server }> {
  for (let left = options.port === 0 ? maxPortsTried : 1; ; left--) {
    const udp = await bindUdp(options, signal);
    try {
      return { udp, tcp: await bindTcp({ ...options, port: udp.address().port }, signal) };
    } catch (error) {
      udp.close();
      if (left <= 1) throw error;
    }
  }
}

interface Binding {
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
  readonly answer: AnswerQuestion;
  readonly clock: Clock;
}

function bindUdp({ address, port, answer }: Binding, signal: AbortSignal): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    void respond(message, answer, 'udp', signal).then((bytes) => {
      // A client that is gone by now is no error of ours.
      if (bytes !== undefined && !signal.aborted) socket.send(bytes, from.port, from.address, () => {});
    });
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject).on('error', () => {});
      resolve(socket);
    });
  });
}

function bindTcp({ address, port, answer, clock }: Binding, signal: AbortSignal): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    void serveConnection(socket, { answer, clock }, signal).finally(() => socket.destroy());
  });
  server.maxConnections = maxTcpConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject).on('error', () => {});
      resolve(server);
    });
  });
}

async function serveConnection(
  socket: TcpSocket,
  { answer, clock }: { readonly answer: AnswerQuestion; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const expect = (): Timer => clock.schedule(tcpIdleMs, () => socket.destroy());
  let idle = expect();
  let received: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      idle.cancel();
      idle = expect();
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const bytes = await respond(received.subarray(2, end), answer, 'tcp', signal);
        received = received.subarray(end);
        if (bytes === undefined) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        socket.write(Buffer.concat([length, bytes]));
      }
    }
  } catch {
    // Reset by the client.
  } finally {
    idle.cancel();
  }
}

function closed(server: Socket | Server): Promise<void> {
  return new Promise((resolve) => server.once('close', () => resolve()));
}

/** The answer to a message; undefined when it deserves none. */
async function respond(
  message: Buffer,
  answer: AnswerQuestion,
  transport: 'udp' | 'tcp',
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const query = tryDecode(message);
  if (query === undefined) return message.length < 12 ? undefined : refusal(message, codes.FORMERR);
  if (query.flag_qr) return undefined;
  const opcode = (message[2]! >> 3) & 0x0f;
  if (opcode !== 0) return refusal(message, codes.NOTIMP);
  const question = query.questions?.[0];
  if (question === undefined || query.questions!.length !== 1) return refusal(message, codes.FORMERR);
  if (question.class !== 'IN') return refusal(message, codes.REFUSED);
  try {
    return fit(query, question, await answer(question, signal), transport);
  } catch {
    return refusal(message, codes.SERVFAIL);
  }
}

/** A bare header: the query's id, our flags, nothing else. */
function refusal(message: Buffer, code: number): Buffer {
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  header[2] = 0x80 | (message[2]! & 0x79);
  header[3] = code;
  return header;
}

/** Encodes the answer so that it fits: additional records go first, then answers, with the flag that says so. */
function fit(query: DecodedPacket, question: Question, answer: DnsAnswer, transport: 'udp' | 'tcp'): Buffer {
  const extension = query.additionals?.find((record) => record.type === 'OPT');
  const taken = extension?.type === 'OPT' ? Math.min(extension.udpPayloadSize, maxUdpBytes) : classicUdpBytes;
  const limit = transport === 'tcp' ? 0xffff : Math.max(taken, classicUdpBytes);
  const ours: Answer[] =
    extension === undefined
      ? []
      : [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: maxUdpBytes,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ];
  const code = codes[answer.code as keyof typeof codes] ?? codes.SERVFAIL;
  const flags =
    code |
    RECURSION_AVAILABLE |
    (query.flag_rd ? RECURSION_DESIRED : 0) |
    (answer.authoritative ? AUTHORITATIVE_ANSWER : 0);
  const packet = (answers: readonly Answer[], additionals: readonly Answer[], extra: number): Packet => ({
    type: 'response',
    id: query.id ?? 0,
    flags: flags | extra,
    questions: [question],
    answers: [...answers],
    authorities: [...answer.authorities],
    additionals: [...additionals, ...ours],
  });
  const whole = encode(packet(answer.answers, answer.additionals, 0));
  if (whole.length <= limit) return whole;
  const bare = encode(packet(answer.answers, [], 0));
  if (bare.length <= limit) return bare;
  let kept = answer.answers.slice(0, Math.floor((answer.answers.length * limit) / bare.length));
  for (;;) {
    const bytes = encode(packet(kept, [], TRUNCATED_RESPONSE));
    if (bytes.length <= limit || kept.length === 0) return bytes;
    kept = kept.slice(0, -1);
  }
}
