import { canonicalQuantity, milliValue, quantity } from '#machinery/quantity.ts';

/** Bytes are whole: an amount such as `100m` of memory was meant to be something else. */
export function fractionWarnings(
  resources: Readonly<Record<string, string>> | undefined,
  name: string,
  path: string,
): string[] {
  const text = resources?.[name];
  // Amounts that are whole, which nearly all are, have none of these.
  if (text === undefined || !/[.emnu]/i.test(text) || milliValue(quantity(text)) % 1000 === 0) return [];
  const shown = JSON.stringify(canonicalQuantity(text));
  return [`${path}[${name}]: fractional byte value ${shown} is invalid, must be an integer`];
}
