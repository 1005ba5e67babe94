/** IP addresses and networks as text, without anything from Node. */

/** The family of an address, undefined when the text is none. Leading zeros and zones are refused, as upstream does. */
export function ipFamily(text: string): 4 | 6 | undefined {
  if (isIpv4(text)) return 4;
  return isIpv6(text) ? 6 : undefined;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const all = groups.flat();
  const last = all.at(-1);
  let count = all.length;
  if (last?.includes('.') === true) {
    if (!isIpv4(last)) return false;
    all.pop();
    count++;
  }
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count <= 7 : count === 8;
}

/** What upstream says of a text that is no address. */
export function ipProblems(text: string): string[] {
  return ipFamily(text) === undefined ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [];
}

/** What upstream says of a text that is no network in CIDR notation. */
export function cidrProblems(text: string): string[] {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = ipFamily(address);
  const isGood = family !== undefined && rest.length === 0 && /^(0|[1-9]\d{0,2})$/.test(bits);
  if (isGood && Number(bits) <= (family === 4 ? 32 : 128)) return [];
  return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
}

interface Network {
  readonly family: 4 | 6;
  readonly bits: number;
  /** The address as a number, its host part included. */
  readonly value: bigint;
}

/** An address as a number; undefined when it is none. */
function addressValue(text: string): bigint | undefined {
  if (isIpv4(text)) return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  if (!isIpv6(text)) return undefined;
  // An IPv4 tail stands for the last two groups.
  const whole = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [first, second, third, fourth] = parts.slice(0, 4).map(Number);
    return `${(first! * 256 + second!).toString(16)}:${(third! * 256 + fourth!).toString(16)}`;
  });
  const [head = '', tail] = whole.split('::');
  const groups = (half: string | undefined): string[] => (half === undefined || half === '' ? [] : half.split(':'));
  const [before, after] = [groups(head), groups(tail)];
  const middle = tail === undefined ? [] : new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...middle, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

function parseNetwork(text: string): Network | undefined {
  if (cidrProblems(text).length > 0) return undefined;
  const [address = '', bits = ''] = text.split('/');
  return { family: ipFamily(address)!, bits: Number(bits), value: addressValue(address)! };
}

/** Whether `inner` lies in `outer` and is smaller; false when either is no network. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [small, large] = [parseNetwork(inner), parseNetwork(outer)];
  if (small === undefined || large === undefined) return false;
  if (small.family !== large.family || small.bits <= large.bits) return false;
  const shift = BigInt((large.family === 4 ? 32 : 128) - large.bits);
  return small.value >> shift === large.value >> shift;
}
