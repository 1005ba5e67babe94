/** Hands out the addresses of an IPv4 range in turn, so that one is not reused soon after it was freed. */
export class AddressPool {
  readonly #base: number;
  readonly #size: number;
  readonly #used = new Set<number>();
  #next = 1;

  /** @param cidr for example `10.244.3.0/24`. Its first two and its last address are not handed out. */
  constructor(cidr: string) {
    const [address = '', bits = ''] = cidr.split('/');
    this.#size = 2 ** (32 - Number(bits));
    this.#base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  }

  /** Undefined when all are in use. */
  take(): string | undefined {
    const usable = this.#size - 3;
    for (let tried = 0; tried < usable; tried++) {
      this.#next = this.#next >= this.#size - 2 ? 2 : this.#next + 1;
      if (this.#used.has(this.#next)) continue;
      this.#used.add(this.#next);
      return dotted(this.#base + this.#next);
    }
    return undefined;
  }

  free(address: string): void {
    this.#used.delete(address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) - this.#base);
  }
}

function dotted(value: number): string {
  return [value / 2 ** 24, value / 2 ** 16, value / 2 ** 8, value].map((part) => Math.floor(part) % 256).join('.');
}
