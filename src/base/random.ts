/** The only source of randomness. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Randomness fit for keys and tokens. */
export function secureRandom(): Random {
  // A call into the system's generator costs far more than a number: they are fetched by the thousand.
  const pool = new Uint32Array(1024);
  let used = pool.length;
  const next = (): number => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    return pool[used++]! / 2 ** 32;
  };
  return { next, bytes: pooledBytes() };
}

function pooledBytes(): Random['bytes'] {
  const pool = new Uint8Array(4096);
  let used = pool.length;
  return (length) => {
    if (length > pool.length / 4) return crypto.getRandomValues(new Uint8Array(length));
    if (used + length > pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + length);
    // What was given out does not stay where a later reader of the memory would find it.
    pool.fill(0, used, used + length);
    used += length;
    return bytes;
  };
}

/** A repeatable sequence from a seed (the sfc32 generator). Never for secrets. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162 ^ Math.floor(seed / 2 ** 32);
  let counter = seed | 0;
  const word = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 15; round++) word();
  return {
    next: () => word() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
  };
}

/** A whole number in [0, bound). */
export function randomInteger(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** A version 4 UUID in its usual lower-case form. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += hexadecimal[bytes[index]!];
  }
  return text;
}

const hexadecimal = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Letters and digits that cannot spell words, as Kubernetes uses for generated names. */
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A random name suffix of `length` characters from Kubernetes' alphabet without vowels. */
export function randomSuffix(random: Random, length = 5): string {
  let text = '';
  for (let index = 0; index < length; index++) text += nameAlphabet[randomInteger(random, nameAlphabet.length)];
  return text;
}
