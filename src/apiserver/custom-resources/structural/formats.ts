import { ipFamily } from '#machinery/ip.ts';
import { label1123Problems, subdomainProblems } from '#machinery/names.ts';

/** By how they are written: an IPv4 address within an IPv6 one is both. */
const isIpv4 = (text: string): boolean => text.includes('.') && ipFamily(withoutZeros(text)) !== undefined;
const isIpv6 = (text: string): boolean => text.includes(':') && ipFamily(withoutZeros(text)) !== undefined;

/** Numbers between dots may begin with zeros, as Go once read them. */
function withoutZeros(text: string): string {
  const [, before = '', ...numbers] = /^(.*:)?0*(\d{1,3})\.0*(\d{1,3})\.0*(\d{1,3})\.0*(\d{1,3})$/.exec(text) ?? [];
  return numbers.length === 0 ? text : before + numbers.join('.');
}

const numberFormats: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

/** Whether values of a type are held to a format; others are only told to people. */
export function isKnownFormat(format: string, type = ''): boolean {
  if (type === '' || type === 'string') return Object.hasOwn(formats, format.replaceAll('-', ''));
  return numberFormats[type]?.includes(format) === true;
}

/** Whether a text is not of the format that its schema names. Formats that nobody knows hold for every text. */
export function formatProblem(format: string, text: string): boolean {
  const check = formats[format.replaceAll('-', '')];
  return check !== undefined && !check(text);
}

const matches =
  (pattern: RegExp): ((text: string) => boolean) =>
  (text) =>
    pattern.test(text);

const uuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');

/** The formats that upstream checks (structural schemas of apiextensions/v1), by name without dashes. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  uri: isRequestUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
  mac: matches(
    /^([0-9a-f]{2}[:-]){5}([0-9a-f]{2}[:-]){0,2}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$|^([0-9a-f]{12}|[0-9a-f]{16})$/i,
  ),
  uuid: matches(uuid('[0-9a-f]')),
  uuid3: matches(uuid('3')),
  uuid4: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: matches(
    /^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*(,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*){2}\)$/,
  ),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  password: () => true,
  k8sshortname: (text) => label1123Problems(text).length === 0,
  k8slongname: (text) => subdomainProblems(text).length === 0,
};

const address = /^(?:"[^"]+"|[^\s@<>(),;:\\"[\]]+)@[^\s@<>]+$/;

/** An address, perhaps with somebody's name in front of it. */
function isEmail(text: string): boolean {
  const [, named] = /^(?:"[^"]*"|[^<>()@,;:\\"[\]]*)<([^<>]*)>$/.exec(text) ?? [];
  return address.test(named ?? text);
}

/** One label, with a hyphen nowhere but after its first character, or several, the last of which is of letters. */
const hostnames =
  /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u;

function isHostname(text: string): boolean {
  return text.length <= 255 && hostnames.test(text) && text.split('.').every((label) => label.length <= 63);
}

function isRequestUri(text: string): boolean {
  if (text.startsWith('/')) return !/[\s\x00-\x1f]/.test(text);
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\S*$/.test(text);
}

function isCidr(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/');
  if (more.length > 0 || !/^\d+$/.test(length)) return false;
  return isIpv6(address) ? Number(length) <= 128 : isIpv4(address) && Number(length) <= 32;
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/.exec(text);
  if (match === null || !isDate(match[1]!)) return false;
  return Number(match[2]) < 24 && Number(match[3]) < 60 && Number(match[4]) < 60;
}

const durationUnit = /^(ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*)$/;

/** Go's durations, and any text with words such as `2 weeks` in it. */
function isDuration(text: string): boolean {
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/.test(text))
    return true;
  if (/^[+-]?0$/.test(text)) return true;
  let isAny = false;
  for (const [, count = '', unit = ''] of text.matchAll(/(?<!\d)(\d+)\s*([A-Za-zµ]+)/g)) {
    if (BigInt.asIntN(64, BigInt(count)) !== BigInt(count)) return false;
    if (durationUnit.test(unit.toLowerCase())) isAny = true;
  }
  return isAny;
}

const digitsOf = (text: string): number[] => [...text.replace(/[\s-]/g, '')].map(Number);

function isIsbn10(text: string): boolean {
  const plain = text.replace(/[\s-]/g, '');
  if (!/^\d{9}[\dX]$/.test(plain)) return false;
  const sum = [...plain].reduce((total, digit, index) => total + (index + 1) * (digit === 'X' ? 10 : Number(digit)), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const plain = text.replace(/[\s-]/g, '');
  if (!/^\d{13}$/.test(plain)) return false;
  return digitsOf(plain).reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

const cardNumbers =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11}|6[27]\d{14})$/;

/** Luhn's check over the numbers that cards have. */
function isCreditCard(text: string): boolean {
  const plain = text.replace(/[^0-9]+/g, '');
  if (!cardNumbers.test(plain)) return false;
  const sum = digitsOf(plain)
    .reverse()
    .reduce((total, digit, index) => total + (index % 2 === 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2), 0);
  return sum % 10 === 0;
}
