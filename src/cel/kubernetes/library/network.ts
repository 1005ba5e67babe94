import { formatIpv6 } from '#machinery/ip.ts';
import { fail } from '../../values/value.ts';

/** Addresses as numbers, as Go's netip reads and prints them. */
export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

export interface Network {
  readonly address: Address;
  readonly length: number;
}

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** Undefined: the text is no address. Zones and IPv4 within IPv6 are refused, as Kubernetes does. */
export function parseAddress(text: string): Address | undefined {
  const four = parseFour(text);
  if (four !== undefined) return { family: 4, bits: four };
  const six = parseSix(text);
  return six === undefined || six >> 32n === 0xffffn ? undefined : { family: 6, bits: six };
}

function parseFour(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

function parseSix(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1)!;
  const tail = last.at(-1);
  if (tail?.includes('.') === true) {
    const four = parseFour(tail);
    if (four === undefined) return undefined;
    last.splice(-1, 1, (four >> 16n).toString(16), (four & 0xffffn).toString(16));
  }
  const [head = [], rest = []] = groups;
  const count = head.length + rest.length;
  if (halves.length === 2 ? count > 7 : count !== 8) return undefined;
  const all = halves.length === 2 ? [...head, ...Array<string>(8 - count).fill('0'), ...rest] : head;
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

export function formatAddress({ family, bits }: Address): string {
  if (family === 6) return formatIpv6(bits);
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.');
}

/** @throws Failure in upstream's words. */
export function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  if (/^::ffff:/i.test(text)) return fail(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  if (text.includes('%')) return fail(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
  const quoted = JSON.stringify(text);
  return fail(
    `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): unable to parse IP`,
  );
}

export function parseNetwork(text: string): Network | undefined {
  const [head = '', bits = '', ...rest] = text.split('/');
  const address = parseAddress(head);
  if (address === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  return Number(bits) > widthOf(address.family) ? undefined : { address, length: Number(bits) };
}

/** @throws Failure in upstream's words. */
export function networkOf(text: string): Network {
  const prefix = 'network address parse error during conversion from string: ';
  return parseNetwork(text) ?? fail(`${prefix}${prefix}netip.ParsePrefix(${JSON.stringify(text)}): ${problemOf(text)}`);
}

function problemOf(text: string): string {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return "no '/'";
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (parseAddress(address) === undefined) return `ParseAddr(${JSON.stringify(address)}): unable to parse IP`;
  return /^(0|[1-9]\d{0,2})$/.test(bits)
    ? 'prefix length out of range'
    : `bad bits after slash: ${JSON.stringify(bits)}`;
}

/** The network's first address. */
export function masked({ address: { family, bits }, length }: Network): Network {
  const host = BigInt(widthOf(family) - length);
  return { address: { family, bits: (bits >> host) << host }, length };
}

export function containsAddress({ address, length }: Network, other: Address): boolean {
  const host = BigInt(widthOf(address.family) - length);
  return address.family === other.family && address.bits >> host === other.bits >> host;
}

/** Whether an address lies in the network that a text names. */
export const within = (address: Address, network: string): boolean => containsAddress(networkOf(network), address);
