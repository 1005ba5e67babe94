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

/** The text without the zeros that lead its decimal numbers: some parsers read them, ours do not. */
function withoutLeadingZeros(text: string): string {
  return text.replace(/(?<![0-9a-fA-F:])0+(?=\d)/g, '');
}

/** The family of what is an address to the most tolerant of upstream's parsers. */
export function addressFamily(text: string): 4 | 6 | undefined {
  return ipFamily(withoutLeadingZeros(text));
}

/** The canonical form of what is an address to the most tolerant of upstream's parsers. */
export function tolerantIp(text: string): string | undefined {
  return isAddress(text) ? canonicalIp(withoutLeadingZeros(text)) : undefined;
}

export function isAddress(text: string): boolean {
  return addressFamily(text) !== undefined;
}

/** Whether the most tolerant of upstream's parsers takes a text for a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...rest] = withoutLeadingZeros(text).split('/');
  const family = ipFamily(address);
  if (family === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

/** An IPv4 address in the form of the other family. */
export function isMappedIp(text: string): boolean {
  return ipFamily(text) === 6 && addressValue(text)! >> 32n === 0xffffn;
}

/** What upstream says of a text that is no address, or one of several ways to write it (KEP-4858). */
export function ipProblems(text: string): string[] {
  if (!isAddress(text)) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  if (ipFamily(text) === undefined) return ['must not have leading 0s'];
  return isMappedIp(text) ? ['must not be an IPv4-mapped IPv6 address'] : [];
}

function formProblems(text: string, canonical: string): string[] {
  return text === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** The same, where the address has to be in its one canonical form. */
export function canonicalIpProblems(text: string): string[] {
  const problems = ipProblems(text);
  if (problems.length > 0) return problems;
  return formProblems(text, canonicalIp(text));
}

/** What upstream says of a text that is no network in CIDR notation, or one of several ways to write it (KEP-4858). */
export function cidrProblems(text: string): string[] {
  if (!isNetwork(text)) return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
  if (withoutLeadingZeros(text) !== text) return ['must not have leading 0s in IP or prefix length'];
  const [address = ''] = text.split('/');
  if (isMappedIp(address)) return ['must not have an IPv4-mapped IPv6 address'];
  const { family, bits, value } = parseNetwork(text)!;
  const host = BigInt((family === 4 ? 32 : 128) - bits);
  return (value >> host) << host === value ? [] : ['must not have bits set beyond the prefix length'];
}

/** The same, where the network has to be in its one canonical form. */
export function canonicalCidrProblems(text: string): string[] {
  const problems = cidrProblems(text);
  if (problems.length > 0) return problems;
  const [address = '', bits = ''] = text.split('/');
  return formProblems(text, `${canonicalIp(address)}/${bits}`);
}

/** What upstream says of a text that is no address of a network interface, as in `10.9.8.7/24`. */
export function interfaceAddressProblems(text: string): string[] {
  const [address = '', bits = ''] = withoutLeadingZeros(text).split('/');
  if (!isNetwork(text)) return ['must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'];
  return formProblems(text, `${canonicalIp(address)}/${bits}`);
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

/** The canonical form (RFC 5952): no leading zeros, the longest run of zero groups left out. */
export function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  let [start, length] = [0, 0];
  for (let index = 0; index < 8; index++) {
    let end = index;
    while (end < 8 && groups[end] === '0') end++;
    if (end - index > length) [start, length] = [index, end - index];
    index = Math.max(index, end - 1);
  }
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** What upstream warns of in an address that is good: that there is a better way to write it. */
export function ipWarnings(text: string, path: string): string[] {
  const tolerant = tolerantIp(text);
  if (tolerant === undefined) return [];
  // Some fields are not validated, and may hold what others refuse.
  if (ipFamily(text) === undefined || isMappedIp(text))
    return [`${path}: non-standard IP address ${JSON.stringify(text)} is invalid: use ${JSON.stringify(tolerant)}`];
  if (ipFamily(text) !== 6) return [];
  const canonical = formatIpv6(addressValue(text)!);
  if (canonical === text) return [];
  return [`${path}: IPv6 address ${JSON.stringify(text)} should be in RFC 5952 canonical format ("${canonical}")`];
}

/** The same of a network. */
export function cidrWarnings(text: string, path: string): string[] {
  const [address = '', bits = ''] = text.split('/');
  if (ipFamily(address) !== 6) return [];
  const canonical = `${formatIpv6(addressValue(address)!)}/${bits}`;
  if (canonical === text) return [];
  return [`${path}: IPv6 CIDR value ${JSON.stringify(text)} should be in RFC 5952 canonical format ("${canonical}")`];
}

function parseNetwork(text: string): Network | undefined {
  if (!isNetwork(text)) return undefined;
  const [address = '', bits = ''] = withoutLeadingZeros(text).split('/');
  return { family: ipFamily(address)!, bits: Number(bits), value: addressValue(address)! };
}

/** The one way to write an address (RFC 5952); the text itself when it is none. */
function canonicalIp(text: string): string {
  const value = addressValue(text);
  if (value === undefined || isIpv4(text)) return text;
  if (value >> 32n === 0xffffn) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
  return formatIpv6(value);
}

/** Whether `inner` lies in `outer` and is smaller; false when either is no network. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [small, large] = [parseNetwork(inner), parseNetwork(outer)];
  if (small === undefined || large === undefined) return false;
  if (small.family !== large.family || small.bits <= large.bits) return false;
  const shift = BigInt((large.family === 4 ? 32 : 128) - large.bits);
  return small.value >> shift === large.value >> shift;
}
