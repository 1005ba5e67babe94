import type { Clock } from '#base/clock.ts';
import { createHttpClient, type HttpClient } from '#client/http/client.ts';
import { loadKubeconfig } from '#client/http/kubeconfig.ts';
import { ApiError } from '#machinery/errors.ts';
import { dialFailure } from './failures.ts';

/** The most that an answer may be long. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** The longest that upstream waits for any of them, whatever it is asked for. */
const timeoutQuery = '?timeout=30s';

/** A webhook that a file in the form of a kubeconfig leads to: authentication, authorisation, audit. */
export class ConfiguredWebhook {
  readonly #client: HttpClient;
  readonly #clock: Clock;
  readonly #url: string;
  /** What the URL of the file goes on with. */
  readonly #rest: string;

  /** @throws Error when the file cannot be read or names no server. */
  constructor(kubeconfigFile: string, clock: Clock) {
    const { client } = loadKubeconfig({ path: kubeconfigFile, environment: {} });
    this.#client = createHttpClient({ ...client, clock });
    this.#clock = clock;
    this.#rest = new URL(client.server).pathname === '/' ? `/${timeoutQuery}` : timeoutQuery;
    this.#url = `${client.server.replace(/\/$/, '')}${this.#rest}`;
  }

  /** Posts an object and reads the answer's. @throws Error for every way in which that can fail. */
  async post(body: object, timeoutMs: number): Promise<unknown> {
    const limit = new AbortController();
    const timer = this.#clock.schedule(timeoutMs, () => limit.abort());
    try {
      const response = await this.#client.raw({
        method: 'POST',
        path: this.#rest,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        signal: limit.signal,
      });
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of response.body as AsyncIterable<Uint8Array>) {
        length += part.length;
        if (length > maxAnswerBytes) throw new Error('the answer is too long');
        parts.push(part);
      }
      const text = Buffer.concat(parts).toString();
      return text === '' ? undefined : JSON.parse(text);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      const why = limit.signal.aborted ? 'context deadline exceeded' : dialFailure(error);
      throw new Error(`Post ${JSON.stringify(this.#url)}: ${why}`, { cause: error });
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }
}
