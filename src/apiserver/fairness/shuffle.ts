import { createHash } from 'node:crypto';

/** A number that stands for one flow of one schema: 48 of the bits that upstream takes. */
export function hashOfFlow(schema: string, distinguisher: string): number {
  return createHash('sha256').update(schema).update('\0').update(distinguisher).digest().readUIntBE(0, 6);
}

/**
 * Shuffle sharding: which queues a flow may use. Two flows seldom share all of them, so that a heavy one leaves most
 * others a queue of their own.
 * @returns `handSize` different numbers below `queues`.
 */
export function dealHand(
  hash: number,
  { queues, handSize }: { readonly queues: number; readonly handSize: number },
): number[] {
  const hand: number[] = [];
  let rest = hash;
  for (let dealt = 0; dealt < Math.min(handSize, queues); dealt++) {
    const left = queues - dealt;
    let card = rest % left;
    rest = Math.floor(rest / left);
    // The card counts only queues that are not dealt yet.
    const sorted = [...hand].sort((a, b) => a - b);
    for (const taken of sorted) if (card >= taken) card++;
    hand.push(card);
  }
  return hand;
}
