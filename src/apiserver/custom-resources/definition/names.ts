import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '#kinds/generated/types/apiextensions_v1.ts';
import { aggregated } from '#machinery/errors.ts';
import type { ConditionChange } from './conditions.ts';

/** What a definition may be called, beside the others of its group. */
export interface NamesDecision {
  readonly accepted: CustomResourceDefinitionNames;
  readonly condition: ConditionChange;
}

/**
 * Accepts each name that no other definition of the group holds; of names that are taken, the definition keeps those that
 * it had.
 */
export function acceptNames(
  definition: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
): NamesDecision {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const { plural, singular, shortNames = [], kind, listKind } = status?.acceptedNames ?? {};
    for (const name of [plural, singular, ...shortNames]) if (name !== undefined && name !== '') resources.add(name);
    for (const name of [kind, listKind]) if (name !== undefined && name !== '') kinds.add(name);
  }
  const wanted = definition.spec.names;
  const had = definition.status?.acceptedNames;
  let problem: { readonly reason: string; readonly message: string } | undefined;
  const accept = <T>(names: readonly string[], taken: ReadonlySet<string>, reason: string, next: T, before: T): T => {
    const conflicts = names
      .filter((name) => taken.has(name))
      .map((name) => `${JSON.stringify(name)} is already in use`);
    if (conflicts.length === 0) return next;
    problem = { reason, message: aggregated(conflicts) };
    return before;
  };
  const present = (name: string | undefined): readonly string[] => (name === undefined || name === '' ? [] : [name]);
  const plural = accept([wanted.plural], resources, 'PluralConflict', wanted.plural, had?.plural ?? '');
  const singular = accept(present(wanted.singular), resources, 'SingularConflict', wanted.singular, had?.singular);
  const shortNames = accept(
    wanted.shortNames ?? [],
    resources,
    'ShortNamesConflict',
    wanted.shortNames,
    had?.shortNames,
  );
  const kind = accept([wanted.kind], kinds, 'KindConflict', wanted.kind, had?.kind ?? '');
  const listKind = accept(present(wanted.listKind), kinds, 'ListKindConflict', wanted.listKind, had?.listKind);
  const accepted = {
    ...(wanted.categories === undefined ? {} : { categories: wanted.categories }),
    kind,
    ...(listKind === undefined ? {} : { listKind }),
    plural,
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(singular === undefined ? {} : { singular }),
  };
  const type = 'NamesAccepted';
  const condition: ConditionChange =
    problem === undefined
      ? { type, status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type, status: 'False', ...(problem as { readonly reason: string; readonly message: string }) };
  return { accepted, condition };
}
