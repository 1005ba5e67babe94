import type { KindRules } from '#kinds/kind.ts';
import { rulesFor } from '#kinds/rules.ts';
import type { RulesOf } from '../../resources/resource.ts';
import type { RuleEngine } from '../rules-hook.ts';
import { definitionRules } from './rules.ts';

/** Rules of built-in kinds, with those of the kind that defines kinds, which are the server's own. */
export function builtinRules(engine: RuleEngine): RulesOf {
  // A generic table meets a typed kind.
  const definitions = definitionRules(engine) as unknown as KindRules;
  return (row) => {
    const isDefinition = row.group === 'apiextensions.k8s.io' && row.resource === 'customresourcedefinitions';
    return isDefinition ? definitions : rulesFor(row);
  };
}
