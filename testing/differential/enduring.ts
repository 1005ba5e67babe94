import type { Answer, Request } from './exchange.ts';

/** What stands for the answer to a request at which a server's process ended. */
export const endedAnswer: Answer = { status: 0, contentType: '', warnings: [], headers: {}, endsLine: false, body: '' };

export interface Asking {
  ask(request: Request): Promise<Answer>;
}

/**
 * Asks a server that some requests end. When its process is gone it is started again, with all that it has stored, and the requests that were
 * under way are asked again one at a time: the one at which it ends once more has `endedAnswer`, the others their answers.
 */
export class EnduringAsker {
  readonly #asker: Asking;
  readonly #revive: () => Promise<void>;
  /** Resolves when no request is being asked alone. */
  #alone: Promise<unknown> = Promise.resolve();
  #ended = 0;

  /** @param revive makes the server run again if it does not, and waits until it is ready */
  constructor(asker: Asking, revive: () => Promise<void>) {
    this.#asker = asker;
    this.#revive = revive;
  }

  /** How many requests ended the server. */
  get ended(): number {
    return this.#ended;
  }

  async ask(request: Request): Promise<Answer> {
    await this.#alone;
    return this.#asker.ask(request).catch(() => this.#askAlone(request));
  }

  #askAlone(request: Request): Promise<Answer> {
    const answer = this.#alone.then(async () => {
      await this.#revive();
      return this.#asker.ask(request).catch(async () => {
        this.#ended++;
        await this.#revive();
        return endedAnswer;
      });
    });
    // A server that does not start again fails every request; the next one finds that out for itself.
    this.#alone = answer.catch(() => undefined);
    return answer;
  }
}
