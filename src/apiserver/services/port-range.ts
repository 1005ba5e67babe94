import type { Environment } from '#base/environment.ts';
import { randomInteger } from '#base/random.ts';
import { decodeBase64, encodeBase64 } from '#machinery/base64.ts';

/** Port numbers that services may have on nodes. */
export interface PortRange {
  readonly first: number;
  readonly size: number;
}

export const defaultNodePorts: PortRange = { first: 30000, size: 2768 };

/** `30000-32767` as a range; also `30000+2767`, and one port. @throws Error when it is none. */
export function parsePortRange(text: string): PortRange {
  const match = /^(\d{1,5})(?:([-+])(\d{1,5}))?$/.exec(text.trim());
  if (match === null) throw new Error(`unable to parse port range ${JSON.stringify(text)}`);
  const first = Number(match[1]);
  const rest = Number(match[3] ?? 0);
  const last = match[2] === '-' ? rest : first + rest;
  if (first > last || last > 65535) throw new Error(`the port range ${JSON.stringify(text)} is not valid`);
  return { first, size: last - first + 1 };
}

export function formatPortRange({ first, size }: PortRange): string {
  return `${first}-${first + size - 1}`;
}

/** Which ports of a range are taken, in the form of upstream's bitmap: one big-endian number, bit 0 the first port. */
export class TakenPorts {
  readonly #range: PortRange;
  readonly #bits: Uint8Array;

  private constructor(range: PortRange, bits: Uint8Array) {
    this.#range = range;
    this.#bits = bits;
  }

  static none(range: PortRange): TakenPorts {
    return new TakenPorts(range, new Uint8Array(Math.ceil(range.size / 8)));
  }

  /** @throws Error for a number that has more bits than there are ports. */
  static decode(range: PortRange, base64: string): TakenPorts {
    const decoded = decodeBase64(base64);
    const taken = TakenPorts.none(range);
    const room = taken.#bits.length - decoded.length;
    if (room < 0) throw new Error('the bitmap of node ports is longer than their range');
    taken.#bits.set(decoded, room);
    return taken;
  }

  encode(): string {
    const start = this.#bits.findIndex((byte) => byte !== 0);
    return start < 0 ? '' : encodeBase64(this.#bits.subarray(start));
  }

  has(port: number): boolean {
    const { byte, mask } = this.#place(port);
    return (this.#bits[byte]! & mask) !== 0;
  }

  isInRange(port: number): boolean {
    return port >= this.#range.first && port < this.#range.first + this.#range.size;
  }

  take(port: number): void {
    const { byte, mask } = this.#place(port);
    this.#bits[byte]! |= mask;
  }

  release(port: number): void {
    if (!this.isInRange(port)) return;
    const { byte, mask } = this.#place(port);
    this.#bits[byte]! &= ~mask;
  }

  /** Ports that are taken, in order. */
  *[Symbol.iterator](): Generator<number> {
    const { first, size } = this.#range;
    for (let port = first; port < first + size; port++) if (this.has(port)) yield port;
  }

  /** A free port: at random from the upper band, then what is left of the one that users choose from (KEP-3668). */
  free({ random }: Pick<Environment, 'random'>): number | undefined {
    const { first, size } = this.#range;
    const reserved = reservedForUsers(size);
    const upper = size - reserved;
    const start = randomInteger(random, upper);
    for (let step = 0; step < upper; step++) {
      const port = first + reserved + ((start + step) % upper);
      if (!this.has(port)) return port;
    }
    for (let port = first; port < first + reserved; port++) if (!this.has(port)) return port;
    return undefined;
  }

  #place(port: number): { readonly byte: number; readonly mask: number } {
    const offset = port - this.#range.first;
    return { byte: this.#bits.length - 1 - (offset >> 3), mask: 1 << (offset & 7) };
  }
}

/** Between 16 and 128 ports, a thirty-second of the range; none of a tiny one. */
function reservedForUsers(size: number): number {
  return size < 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128);
}
