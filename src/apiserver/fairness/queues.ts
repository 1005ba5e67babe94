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
  /** Those in which somebody waits, by their numbers. */
  readonly #queues = new Map<number, Queue>();
  #virtualTime = 0;
  #length = 0;

  constructor(settings: QueueSettings) {
    this.settings = settings;
  }

  get length(): number {
    return this.#length;
  }

  /** The number and the length of each queue in which somebody waits, for the debugging pages. */
  *lengths(): Generator<readonly [index: number, length: number]> {
    for (const [index, { waiting }] of this.#queues) yield [index, waiting.length];
  }

  /** Puts a request in the shortest queue of its flow's hand; false when even that one is full. */
  add(request: Waiting): boolean {
    const lengthOf = (index: number): number => this.#queues.get(index)?.waiting.length ?? 0;
    let best = -1;
    for (const index of dealHand(request.hash, this.settings))
      if (best < 0 || lengthOf(index) < lengthOf(best)) best = index;
    let queue = this.#queues.get(best);
    if (queue === undefined) {
      queue = { waiting: [], finishTag: 0 };
      this.#queues.set(best, queue);
    }
    if (queue.waiting.length >= this.settings.queueLengthLimit) return false;
    request.queue = best;
    request.startTag = Math.max(this.#virtualTime, queue.finishTag);
    queue.finishTag = request.startTag + request.seats;
    queue.waiting.push(request);
    this.#length++;
    return true;
  }

  /** How many wait in the queue of a request, itself included. */
  lengthAt({ queue }: Waiting): number {
    return this.#queues.get(queue)?.waiting.length ?? 0;
  }

  /** The request that is next in fairness, left where it is. */
  peek(): Waiting | undefined {
    let next: Waiting | undefined;
    if (this.#length === 0) return next;
    for (const { waiting } of this.#queues.values()) {
      const first = waiting[0];
      if (first !== undefined && (next === undefined || first.startTag < next.startTag)) next = first;
    }
    return next;
  }

  /** Takes a request out: served, or given up. */
  remove(request: Waiting, { served }: { readonly served: boolean }): void {
    const queue = this.#queues.get(request.queue);
    const index = queue?.waiting.indexOf(request) ?? -1;
    if (queue === undefined || index < 0) return;
    queue.waiting.splice(index, 1);
    this.#length--;
    if (queue.waiting.length === 0) this.#queues.delete(request.queue);
    if (served) this.#virtualTime = Math.max(this.#virtualTime, request.startTag);
    else this.#giveBack(queue, index, request.seats);
  }

  /** Everybody who waits, in fair order; the queues are empty afterwards. */
  takeAll(): readonly Waiting[] {
    const all = [...this.#queues.values()].flatMap(({ waiting }) => waiting).sort((a, b) => a.startTag - b.startTag);
    this.#queues.clear();
    this.#length = 0;
    return all;
  }

  /** What a request that was given up would have been served is its queue's again. */
  #giveBack(queue: Queue, from: number, seats: number): void {
    queue.finishTag -= seats;
    for (let index = from; index < queue.waiting.length; index++) queue.waiting[index]!.startTag -= seats;
  }
}
