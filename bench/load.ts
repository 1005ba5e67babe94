import { Agent, request } from 'node:https';

/** A server to measure and who to be there. */
export interface Access {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Rate {
  /** Requests a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A client with a fixed number of kept-alive connections. */
export class LoadClient {
  readonly #agent: Agent;
  readonly #access: Access;

  constructor(access: Access, connections: number) {
    this.#access = access;
    const { ca, cert, key } = access;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key });
  }

  /** The whole body. @throws Error for an answer that is no success. */
  call(method: string, path: string, body?: string, contentType = 'application/json'): Promise<Buffer> {
    const { host, port } = this.#access;
    return new Promise((resolve, reject) => {
      const headers = {
        accept: 'application/json',
        'user-agent': 'bench',
        ...(body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
      };
      const outgoing = request({ host, port, method, path, headers, agent: this.#agent }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const whole = Buffer.concat(parts);
          if ((answer.statusCode ?? 500) < 300) resolve(whole);
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${whole.toString().slice(0, 200)}`));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Calls `work` from `workers` sides at once until `durationMs` is over. */
export async function measureRate(
  workers: number,
  durationMs: number,
  work: (index: number) => Promise<unknown>,
): Promise<Rate> {
  const latencies: number[] = [];
  let next = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - started < durationMs) {
      const before = performance.now();
      await work(next++);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  const elapsedMs = performance.now() - started;
  latencies.sort((left, right) => left - right);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { perSecond: (latencies.length * 1000) / elapsedMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** The middle of several measurements. */
export async function medianOf(times: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < times; round++) values.push(await measure());
  return values.sort((left, right) => left - right)[Math.floor(times / 2)]!;
}
