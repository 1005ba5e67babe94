/** Equal parts of an IPv4 range, handed out one by one. */
export class CidrPool {
  readonly #base: number;
  readonly #partBits: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  #next = 0;

  /** @param cidr for example `10.244.0.0/16`. @param partBits for example 24: the parts are /24. */
  constructor(cidr: string, partBits: number) {
    const [address = '', bits = ''] = cidr.split('/');
    this.#base = addressNumber(address);
    this.#partBits = partBits;
    this.#count = 2 ** (partBits - Number(bits));
    if (Number.isNaN(this.#base) || !(this.#count >= 1)) throw new Error(`cannot divide ${cidr} into /${partBits}`);
  }

  /** Marks a part as taken; one that lies elsewhere is none of the pool's business. */
  occupy(part: string): void {
    const index = this.#indexOf(part);
    if (index !== undefined) this.#used.add(index);
  }

  release(part: string): void {
    const index = this.#indexOf(part);
    if (index !== undefined) this.#used.delete(index);
  }

  /** A free part, or undefined when all are taken. The search goes on where it ended, so that parts rest a while. */
  take(): string | undefined {
    for (let tried = 0; tried < this.#count; tried++) {
      const index = (this.#next + tried) % this.#count;
      if (this.#used.has(index)) continue;
      this.#used.add(index);
      this.#next = (index + 1) % this.#count;
      return `${addressText(this.#base + index * 2 ** (32 - this.#partBits))}/${this.#partBits}`;
    }
    return undefined;
  }

  #indexOf(part: string): number | undefined {
    const [address = '', bits] = part.split('/');
    const index = (addressNumber(address) - this.#base) / 2 ** (32 - this.#partBits);
    const isOurs = Number(bits) === this.#partBits && Number.isInteger(index) && index >= 0 && index < this.#count;
    return isOurs ? index : undefined;
  }
}

function addressNumber(address: string): number {
  const parts = address.split('.').map(Number);
  return parts.length === 4 ? parts.reduce((sum, part) => sum * 256 + part, 0) : Number.NaN;
}

function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
