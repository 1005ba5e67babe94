import { dealHand } from './shuffle.ts';

/** A request that waits for seats. */
export interface Waiting {
  readonly hash: number;
  readonly seats: number;
  /** Virtual time at which its service starts; set by the queues. */
  startTag: number;
  queue: number;
  readonly grant: () => void;
  readonly refuse: () => void;
}

/** How a level's requests wait (`limitResponse.queuing`). */
export interface QueueSettings {
  readonly queues: number;
  readonly handSize: number;
  readonly queueLengthLimit: number;
}

interface Queue {
  readonly waiting: Waiting[];
  /** Virtual time at which all that it was given will be served. */
  finishTag: number;
}

/**
 * Queues that are served fairly (start-time fair queuing): virtual time grows with the service given to the flow
 * that has had least, so that a short queue is not behind a long one.
 */
export class FairQueues {
  readonly settings: QueueSettings;
  readonly #queues: Queue[];
  #virtualTime = 0;
  #length = 0;

  constructor(settings: QueueSettings) {
    this.settings = settings;
    this.#queues = Array.from({ length: settings.queues }, () => ({ waiting: [], finishTag: 0 }));
  }

  get length(): number {
    return this.#length;
  }

  /** Requests of each queue, for the debugging page. */
  *lengths(): Generator<number> {
    for (const { waiting } of this.#queues) yield waiting.length;
  }

  /** Puts a request in the shortest queue of its flow's hand; false when even that one is full. */
  add(request: Waiting): boolean {
    let best = -1;
    for (const index of dealHand(request.hash, this.settings))
      if (best < 0 || this.#queues[index]!.waiting.length < this.#queues[best]!.waiting.length) best = index;
    const queue = this.#queues[best]!;
    if (queue.waiting.length >= this.settings.queueLengthLimit) return false;
    request.queue = best;
    request.startTag = Math.max(this.#virtualTime, queue.finishTag);
    queue.finishTag = request.startTag + request.seats;
    queue.waiting.push(request);
    this.#length++;
    return true;
  }

  /** The request that is next in fairness, left where it is. */
  peek(): Waiting | undefined {
    let next: Waiting | undefined;
    if (this.#length === 0) return next;
    for (const { waiting } of this.#queues) {
      const first = waiting[0];
      if (first !== undefined && (next === undefined || first.startTag < next.startTag)) next = first;
    }
    return next;
  }

  /** Takes a request out: served, or given up. */
  remove(request: Waiting, { served }: { readonly served: boolean }): void {
    const queue = this.#queues[request.queue];
    const index = queue?.waiting.indexOf(request) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.waiting.splice(index, 1);
    this.#length--;
    if (served) this.#virtualTime = Math.max(this.#virtualTime, request.startTag);
    else this.#giveBack(queue, index, request.seats);
  }

  /** Everybody who waits, in fair order; the queues are empty afterwards. */
  takeAll(): readonly Waiting[] {
    const all = this.#queues.flatMap(({ waiting }) => waiting.splice(0)).sort((a, b) => a.startTag - b.startTag);
    this.#length = 0;
    return all;
  }

  /** What a request that was given up would have been served is its queue's again. */
  #giveBack(queue: Queue, from: number, seats: number): void {
    queue.finishTag -= seats;
    for (let index = from; index < queue.waiting.length; index++) queue.waiting[index]!.startTag -= seats;
  }
}
