import type { GroupVersionKind } from '#machinery/meta.ts';
import type { KindRules } from './kind.ts';

/**
 * Rules written by hand, by `group/Kind` or, where versions of a kind differ in shape, by `group/version/Kind`.
 * Adding a kind's rules is its folder and one line here.
 */
const table: Readonly<Record<string, KindRules>> = {};

const nothingSpecial: KindRules = {};

/** What is special about a kind; an empty set of rules where nothing is. */
export function rulesFor({ group, version, kind }: GroupVersionKind): KindRules {
  return table[`${group}/${version}/${kind}`] ?? table[`${group}/${kind}`] ?? nothingSpecial;
}
