/** An IPv4 range in CIDR form; addresses as numbers. */
export interface IpRange {
  readonly first: number;
  /** How many addresses, network and broadcast included. */
  readonly size: number;
  readonly cidr: string;
}

/** @throws Error when it is not an IPv4 CIDR. */
export function parseIpRange(cidr: string): IpRange {
  const [address = '', bits = ''] = cidr.split('/');
  const length = Number(bits);
  if (!/^\d{1,2}$/.test(bits) || length > 32) throw new Error(`not an IPv4 range: ${cidr}`);
  const size = 2 ** (32 - length);
  const number = parseIpv4(address);
  if (number === undefined) throw new Error(`not an IPv4 range: ${cidr}`);
  return { first: number - (number % size), size, cidr };
}

export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

export function inRange(range: IpRange, text: string): boolean {
  const address = parseIpv4(text);
  return address !== undefined && address > range.first && address < range.first + range.size - 1;
}

/**
 * Addresses for automatic assignment come from the upper part of the range, so that users can choose from the lower
 * one (KEP-3070): between 16 and 256 addresses, a sixteenth of the range, are left to them.
 */
export function reservedForUsers({ size }: IpRange): number {
  return Math.min(Math.max(16, Math.floor(size / 16)), 256);
}
