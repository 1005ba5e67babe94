import type { Random } from '#base/random.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';

export type Serve = (request: AnyRequest, response: AnyResponse) => void;

/** Seconds after which whoever is told to come again may. */
const retrySeconds = '5';

/** How requests are refused once the server ends (`--shutdown-send-retry-after`). */
export class Ending {
  readonly #tellsToRetry: boolean;
  #began = false;
  #open = 0;

  constructor(tellsToRetry: boolean) {
    this.#tellsToRetry = tellsToRetry;
  }

  begin(): void {
    this.#began = this.#tellsToRetry;
  }

  /** Whether requests that came before are still being served. */
  get waits(): boolean {
    return this.#began && this.#open > 0;
  }

  around(serve: Serve): Serve {
    if (!this.#tellsToRetry) return serve;
    return (request, response) => {
      if (this.#began) {
        // HTTP/2 has no such header, and no need: the connection is given up as a whole.
        if (request.httpVersionMajor < 2) response.setHeader('connection', 'close');
        response.setHeader('retry-after', retrySeconds);
        response.setHeader('content-type', 'text/plain; charset=utf-8');
        response.setHeader('x-content-type-options', 'nosniff');
        response.statusCode = 429;
        response.end('The apiserver is shutting down, please try again later.\n');
        return;
      }
      this.#open++;
      response.once('close', () => this.#open--);
      serve(request, response);
    };
  }
}

/** Gives up the connection of some requests over HTTP/2 when they are answered (`--goaway-chance`). */
export function spreading(serve: Serve, chance: number, random: Random): Serve {
  if (chance === 0) return serve;
  return (request, response) => {
    if ('stream' in request && random.next() < chance) request.stream.session?.close();
    serve(request, response);
  };
}
