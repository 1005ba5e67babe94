const binary: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const decimal: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
};

/** The value of a quantity (`100m`, `64Mi`, `1e3`) as a number; the API has checked its form. 0 for nonsense. */
export function parseQuantity(text: string | number): number {
  const match = /^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$/.exec(String(text));
  if (match === null) return 0;
  const [, digits = '0', exponent = '', suffix = ''] = match;
  return Number(`${digits}${exponent}`) * (binary[suffix] ?? decimal[suffix] ?? 1);
}
