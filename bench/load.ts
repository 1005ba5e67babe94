import type { Access } from '#testing/access.ts';
import { Connection } from './connection.ts';

export interface Rate {
  /** Requests a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A client with a fixed number of kept-alive connections. */
export class LoadClient {
  readonly #access: Access;
  readonly #most: number;
  readonly #idle: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  #open = 0;

  constructor(access: Access, connections: number) {
    this.#access = access;
    this.#most = connections;
  }

  /** The whole body. @throws Error for an answer that is no success. */
  async call(
    method: string,
    path: string,
    body: string | Uint8Array = '',
    contentType = 'application/json',
    accept = 'application/json',
  ): Promise<Buffer> {
    const content =
      body.length === 0 ? '' : `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nhost: bench\r\nuser-agent: bench\r\naccept: ${accept}\r\n${content}\r\n`;
    const connection = await this.#take();
    try {
      const request = typeof body === 'string' ? head + body : Buffer.concat([Buffer.from(head), body]);
      const answer = await connection.ask(request);
      if (answer.status < 300) return answer.body;
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
    } finally {
      this.#give(connection);
    }
  }

  async #take(): Promise<Connection> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isOpen) return idle;
      this.#open--;
    }
    if (this.#open >= this.#most) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#open++;
    return Connection.open(this.#access).catch((error) => {
      this.#open--;
      throw error;
    });
  }

  #give(connection: Connection): void {
    if (!connection.isOpen) {
      this.#open--;
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }

  close(): void {
    for (const connection of this.#idle) connection.close();
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
  return median(values);
}

/** The middle of an odd number of values. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1]!;
}
