/** What a plain YAML scalar means to Go's YAML 1.1 reader. */

const words = new Map<string, boolean | null | number>();
for (const word of ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']) words.set(word, true);
for (const word of ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']) words.set(word, false);
for (const word of ['', '~', 'null', 'Null', 'NULL']) words.set(word, null);
for (const word of ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']) words.set(word, Number.POSITIVE_INFINITY);
for (const word of ['-.inf', '-.Inf', '-.INF']) words.set(word, Number.NEGATIVE_INFINITY);
for (const word of ['.nan', '.NaN', '.NAN']) words.set(word, Number.NaN);

const integer = /^([-+]?)(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+|0[0-7]*|[1-9][0-9]*)$/i;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const timestamp = /^\d{4}-\d\d?-\d\d?([Tt ]\d\d?:\d\d:\d\d(\.\d+)?\s*(Z|[+-]\d\d?(:?\d\d)?)?)?$/;
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** The value of a plain scalar; undefined when it is text. Whole numbers beyond 2^53 are bigints. */
export function resolvePlain(text: string): boolean | null | number | bigint | undefined {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return undefined;
  const digits = text.replaceAll('_', '');
  const match = integer.exec(digits);
  if (match !== null) return integerValue(match[1]!, match[2]!);
  return float.test(digits) ? Number(digits) : undefined;
}

function integerValue(sign: string, digits: string): number | bigint {
  const isOctal = digits.length > 1 && /^0[0-7]/.test(digits);
  const exact = BigInt(isOctal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const signed = sign === '-' ? -exact : exact;
  const value = Number(signed);
  if (Number.isSafeInteger(value)) return value;
  return BigInt.asUintN(64, exact) === exact ? signed : value;
}

/** Whether text must be quoted to stay text. */
export function looksLikeOther(text: string): boolean {
  return resolvePlain(text) !== undefined || timestamp.test(text) || sexagesimal.test(text) || text === '<<';
}
