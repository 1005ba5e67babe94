import type { RequestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';
import { isLongRunning } from './seats.ts';

/** As many requests as may be served at once are being served. */
export class TooManyInFlight extends Error {
  override readonly name = 'TooManyInFlight';

  constructor() {
    super('Too many requests, please try again later.');
  }
}

export interface InFlightOptions {
  /** 0: as many as come. */
  readonly maxReads: number;
  readonly maxWrites: number;
}

const reads = new Set(['get', 'list']);
/** They always get an answer. */
const unlimitedGroup = 'system:masters';
const nothing = (): void => {};

/** How many reads and writes are served at once where priority and fairness is off (`--max-requests-inflight`). */
export class InFlightLimits {
  readonly #options: InFlightOptions;
  #reads = 0;
  #writes = 0;

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  /** Takes a place, which the returned function gives back. @throws TooManyInFlight when there is none. */
  enter(info: RequestInfo, user: UserInfo): () => void {
    if (info.verb === 'watch' || isLongRunning(info)) return nothing;
    const isRead = reads.has(info.verb);
    const limit = isRead ? this.#options.maxReads : this.#options.maxWrites;
    if (limit === 0) return nothing;
    if ((isRead ? this.#reads : this.#writes) >= limit) {
      if (user.groups.includes(unlimitedGroup)) return nothing;
      throw new TooManyInFlight();
    }
    if (isRead) this.#reads++;
    else this.#writes++;
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      if (isRead) this.#reads--;
      else this.#writes--;
    };
  }
}
