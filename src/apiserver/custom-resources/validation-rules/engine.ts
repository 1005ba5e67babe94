import type { RuleEngine } from '../rules-hook.ts';
import { checkRules } from './check.ts';
import { RuleEvaluator } from './evaluate.ts';

/** Validation rules in CEL (`x-kubernetes-validations`, KEP-2876). */
export const celRules: RuleEngine = {
  check: checkRules,
  compile: (root) => new RuleEvaluator(root),
};
