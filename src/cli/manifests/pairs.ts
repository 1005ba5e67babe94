import { CliError } from '../failures.ts';

/** What `KEY=VALUE` and `KEY-` arguments ask for. */
export interface PairChanges {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** Splits arguments into resources and the pairs behind them: a pair has `=` in it or `-` at its end. */
export function splitPairs(
  args: readonly string[],
  noun: string,
): { readonly resources: readonly string[]; readonly changes: PairChanges } {
  const isPair = (arg: string): boolean => arg.includes('=') || arg.endsWith('-');
  const start = args.findIndex(isPair);
  const resources = start < 0 ? args : args.slice(0, start);
  const pairs = start < 0 ? [] : args.slice(start);
  const late = pairs.find((arg) => !isPair(arg));
  if (late !== undefined) throw new CliError(`all resources must be specified before ${noun} changes: ${late}`);
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 0) remove.push(pair.slice(0, -1));
    else if (equals === 0) throw new CliError(`invalid ${noun} format: ${pair}`);
    else set.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const both = remove.find((key) => set.has(key));
  if (both !== undefined)
    throw new CliError(`can not both modify and remove ${noun === 'label' ? 'a' : 'an'} ${noun} in the same command`);
  return { resources, changes: { set, remove } };
}

/** The pairs after the changes; undefined when none is left and there was none. */
export function changePairs(
  before: Readonly<Record<string, string>> | undefined,
  { set, remove }: PairChanges,
): Readonly<Record<string, string>> | undefined {
  if (before === undefined && set.size === 0) return undefined;
  const after: Record<string, string> = { ...before };
  for (const key of remove) delete after[key];
  for (const [key, value] of set) after[key] = value;
  return after;
}

/** Keys that have another value already, as complaints. */
export function alreadySet(before: Readonly<Record<string, string>> | undefined, { set }: PairChanges): string[] {
  return [...set.keys()].flatMap((key) => {
    const value = before?.[key];
    return value === undefined || value === set.get(key) ? [] : [`'${key}' already has a value (${value})`];
  });
}
