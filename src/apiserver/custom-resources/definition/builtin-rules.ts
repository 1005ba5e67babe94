import type { KindRules } from '#kinds/kind.ts';
import type { ResourceRow } from '#kinds/resources.ts';
import { rulesFor } from '#kinds/rules.ts';
import { definitionRules } from './rules.ts';

/** Rules of built-in kinds, with those of the kind that defines kinds, which are the server's own. */
export function builtinRules(row: ResourceRow): KindRules {
  const isDefinition = row.group === 'apiextensions.k8s.io' && row.resource === 'customresourcedefinitions';
  // A generic table meets a typed kind.
  return isDefinition ? (definitionRules as unknown as KindRules) : rulesFor(row);
}
