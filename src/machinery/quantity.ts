/**
 * Amounts of resources, such as `100m`, `1.5Gi` or `12e6` (resource.Quantity). They are exact: everything is counted
 * in whole nano-units, the finest that the API knows; finer values are rounded away from zero.
 */
export interface Quantity {
  /** Value times 10^9. */
  readonly nanos: bigint;
  /** The suffix family it is written in: `Ki`, `k` or `e3`. */
  readonly format: QuantityFormat;
}

export type QuantityFormat = 'binary' | 'decimal' | 'exponent';

/** What upstream answers to a text that is no quantity. */
const quantityFormatMessage =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixMessage = "unable to parse quantity's suffix";

const nano = 1_000_000_000n;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
/** Larger binary values are capped. */
const largest = (2n ** 63n - 1n) * nano;

const shape = /^([+-]?)(\d*)(?:\.(\d*))?([a-zA-Z]*)([-+]?\d*)$/;

/** Reads a quantity; an Error with upstream's message when the text is none. */
export function parseQuantity(text: string): Quantity {
  const match = shape.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (match === null || whole.length + fraction.length === 0) throw new Error(quantityFormatMessage);
  const { format, base, exponent } = readSuffix(match[4]!, match[5]!);
  const digits = BigInt(whole + fraction) * nano;
  let nanos: bigint;
  if (base === 2) {
    nanos = divideAwayFromZero(digits * 2n ** BigInt(exponent), 10n ** BigInt(fraction.length));
  } else {
    const shift = exponent - fraction.length;
    nanos = shift >= 0 ? digits * 10n ** BigInt(shift) : divideAwayFromZero(digits, 10n ** BigInt(-shift));
  }
  if (format === 'binary' && nanos > largest) nanos = largest;
  return { nanos: match[1] === '-' ? -nanos : nanos, format };
}

function readSuffix(
  letters: string,
  exponentDigits: string,
): { format: QuantityFormat; base: 2 | 10; exponent: number } {
  if (exponentDigits !== '') {
    if (letters !== 'e' && letters !== 'E') throw new Error(suffixMessage);
    const exponent = Number(exponentDigits);
    if (!Number.isInteger(exponent) || Math.abs(exponent) > maximumExponent) throw new Error(suffixMessage);
    return { format: 'exponent', base: 10, exponent };
  }
  const binary = (binarySuffixes as readonly string[]).indexOf(letters);
  if (binary > 0) return { format: 'binary', base: 2, exponent: binary * 10 };
  const decimal = (decimalSuffixes as readonly string[]).indexOf(letters);
  if (decimal < 0) throw new Error(/^[eEinumkKMGTP]*$/.test(letters) ? suffixMessage : quantityFormatMessage);
  return { format: 'decimal', base: 10, exponent: (decimal - 3) * 3 };
}

/** Beyond it a power of ten would only cost memory. */
const maximumExponent = 1000;

function divideAwayFromZero(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor === 0n ? quotient : quotient + (dividend < 0n ? -1n : 1n);
}

/** The canonical text: no fraction, the largest suffix of its family that allows that. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const isWhole = nanos % nano === 0n;
  const isSmall = nanos < 1024n * nano && nanos > -1024n * nano;
  if (format === 'binary' && isWhole && !isSmall) return formatBinary(nanos / nano);
  let number = nanos;
  let power = 0;
  while (power < decimalSuffixes.length - 1 && number % 1000n === 0n) {
    number /= 1000n;
    power++;
  }
  if (format === 'exponent') {
    while (number % 1000n === 0n) {
      number /= 1000n;
      power++;
    }
    const exponent = (power - 3) * 3;
    return exponent === 0 ? `${number}` : `${number}e${exponent}`;
  }
  return `${number}${decimalSuffixes[power]}`;
}

function formatBinary(value: bigint): string {
  let number = value;
  let power = 0;
  while (power < binarySuffixes.length - 1 && number % 1024n === 0n) {
    number /= 1024n;
    power++;
  }
  return `${number}${binarySuffixes[power]}`;
}

/** How many texts the caches below hold before they are emptied: a cluster writes few different ones. */
const cacheLimit = 4096;
const canonicalTexts = new Map<string, string>();
const parsedTexts = new Map<string, Quantity>();

/** The canonical form of a quantity's text. Throws like parseQuantity. */
export function canonicalQuantity(text: string): string {
  const known = canonicalTexts.get(text);
  if (known !== undefined) return known;
  const parsed = parseQuantity(text);
  const canonical = isKept(text) ? text : formatQuantity(parsed);
  if (canonicalTexts.size >= cacheLimit) canonicalTexts.clear();
  canonicalTexts.set(text, canonical);
  return canonical;
}

/** Upstream takes some texts as canonical that are not, such as `1.500`, and gives them back as they came. */
function isKept(text: string): boolean {
  const [, , whole = '', fraction = '', letters = '', exponentDigits = ''] = shape.exec(text)!;
  const digits = whole.replace(/^0+(?=\d)/, '') + fraction;
  const { base, exponent } = readSuffix(letters, exponentDigits);
  if (base === 2) {
    const room = 14 - digits.length - Math.trunc(exponent * 0.3);
    return fraction === '' && room >= 0 && (Number(digits) & 7) !== 0;
  }
  const scale = exponent - fraction.length;
  return digits.length <= 18 && scale >= -9 && scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
}

/** Like parseQuantity, for objects that have been decoded before: the same few texts come again and again. */
export function quantity(text: string | undefined): Quantity {
  if (text === undefined) return zero;
  const known = parsedTexts.get(text);
  if (known !== undefined) return known;
  const parsed = parseQuantity(text);
  if (parsedTexts.size >= cacheLimit) parsedTexts.clear();
  parsedTexts.set(text, parsed);
  return parsed;
}

export const zero: Quantity = { nanos: 0n, format: 'decimal' };

export function compareQuantities(left: Quantity, right: Quantity): -1 | 0 | 1 {
  if (left.nanos === right.nanos) return 0;
  return left.nanos < right.nanos ? -1 : 1;
}

/** The sum, in the suffix family of the left side unless that is zero. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  return { nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format };
}

export function subtractQuantities(left: Quantity, right: Quantity): Quantity {
  return { nanos: left.nanos - right.nanos, format: left.nanos === 0n ? right.format : left.format };
}

/** Whole units, rounded away from zero. Beyond 2^53 the number is the nearest one. */
export function wholeValue({ nanos }: Quantity): number {
  return Number(divideAwayFromZero(nanos, nano));
}

/** Thousandths (millicores), rounded away from zero. */
export function milliValue({ nanos }: Quantity): number {
  return Number(divideAwayFromZero(nanos, 1_000_000n));
}

/** A whole number as a quantity. */
export function quantityOf(value: number | bigint, format: QuantityFormat = 'decimal'): Quantity {
  return { nanos: BigInt(value) * nano, format };
}

/** Thousandths as a quantity. */
export function quantityOfMilli(thousandths: number | bigint, format: QuantityFormat = 'decimal'): Quantity {
  return { nanos: BigInt(thousandths) * 1_000_000n, format };
}
