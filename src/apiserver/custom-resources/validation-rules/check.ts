import { definitionCostLimit, ruleCostLimit } from '#cel/kubernetes/environment.ts';
import { maxRequestBytes } from '#cel/kubernetes/schema/declared-type.ts';
import { unbounded } from '#cel/library/library.ts';
import type { ValidationRule } from '#kinds/generated/types/apiextensions_v1.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { shownRule } from '../definition/shown-schema.ts';
import type { StructuralNode } from '../structural/node.ts';
import { type CompiledPlace, type CompiledRule, compilePlace, estimatedCost } from './compile.ts';

/** Rules that are named when all of them together are too expensive. */
const maxNamedRules = 4;

/**
 * Everything wrong with the rules of a schema: what does not compile, and what may become too expensive.
 * @param isSound whether nothing else is wrong with the schema of a place, and below: rules are looked at only there.
 */
export function checkRules(
  root: StructuralNode,
  path: string,
  isSound: (path: string) => boolean,
): readonly FieldError[] {
  if (!root.within.rules) return [];
  const check = new RuleCheck(isSound);
  check.visit(root, { path, isRoot: true, cardinality: 1, uncorrelatable: undefined });
  return check.finish(path);
}

interface Place {
  readonly path: string;
  readonly isRoot: boolean;
  /** How often the place may occur in an object; undefined: nothing bounds it but the size of a request. */
  readonly cardinality: number | undefined;
  /** The place above from which on there is no telling which old value a new one had. */
  readonly uncorrelatable: string | undefined;
}

class RuleCheck {
  readonly #errors: FieldError[] = [];
  readonly #costs: { readonly path: string; readonly cost: number }[] = [];
  readonly #isSound: (path: string) => boolean;

  constructor(isSound: (path: string) => boolean) {
    this.#isSound = isSound;
  }

  visit(node: StructuralNode, place: Place): void {
    if (!node.within.rules) return;
    this.#children(node, place);
    if (node.rules.length > 0 && this.#isSound(place.path)) this.#rules(node, place);
  }

  #children(node: StructuralNode, { path, cardinality, uncorrelatable }: Place): void {
    const { additional, items, properties, props } = node;
    const of = (most: number | undefined): number | undefined =>
      cardinality === undefined || most === undefined
        ? undefined
        : Math.min(cardinality * Math.max(0, most), unbounded);
    if (typeof additional === 'object') {
      const own = { path: `${path}.additionalProperties`, isRoot: false, cardinality: of(props.maxProperties) };
      this.visit(additional, { ...own, uncorrelatable: uncorrelatable ?? (node.atomic ? path : undefined) });
    }
    for (const [name, inner] of properties) {
      const own = { path: `${path}.properties[${name}]`, isRoot: false, cardinality: of(1) };
      this.visit(inner, { ...own, uncorrelatable: uncorrelatable ?? (node.atomic ? path : undefined) });
    }
    if (items !== undefined) {
      const own = { path: `${path}.items`, isRoot: false, cardinality: of(props.maxItems) };
      this.visit(items, { ...own, uncorrelatable: uncorrelatable ?? (node.listType === 'map' ? undefined : path) });
    }
  }

  #rules(node: StructuralNode, place: Place): void {
    const path = `${place.path}.x-kubernetes-validations`;
    const compiled = compilePlace(node, place.isRoot);
    if (compiled === undefined) {
      const message = `Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations`;
      this.#errors.push({ type: 'InternalError', path, message });
      return;
    }
    for (const [index, rule] of compiled.rules.entries()) this.#rule(rule, compiled, place, `${path}[${index}]`);
  }

  #rule(compiled: CompiledRule, place: CompiledPlace, { cardinality, uncorrelatable }: Place, at: string): void {
    const { rule, program, error, message, messageError, usesOldSelf } = compiled;
    if (program !== undefined) {
      const times = cardinality ?? Math.floor(maxRequestBytes / (place.declared.minSize + 1));
      this.#cost(`${at}.rule`, 'estimated rule cost', estimatedCost(program, place) * times);
    }
    if (error !== undefined) this.#errors.push(invalidRule(`${at}.rule`, rule, error));
    if (messageError !== undefined) {
      this.#errors.push(invalidRule(`${at}.messageExpression`, rule, messageError));
    }
    if (message !== undefined) {
      this.#cost(`${at}.messageExpression`, 'estimated messageExpression cost', estimatedCost(message, place));
    }
    if (usesOldSelf && uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
      this.#errors.push(fieldError.invalid(`${at}.rule`, rule.rule, detail));
    } else if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
      const detail = 'may not be set if oldSelf is not used in rule';
      this.#errors.push(fieldError.invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, detail));
    }
  }

  #cost(path: string, name: string, cost: number): void {
    const own = Math.min(cost, unbounded);
    if (own > ruleCostLimit) this.#errors.push(fieldError.forbidden(path, tooExpensive(name, own, ruleCostLimit)));
    this.#costs.push({ path, cost: own });
  }

  finish(path: string): readonly FieldError[] {
    const total = Math.min(
      this.#costs.reduce((sum, { cost }) => sum + cost, 0),
      unbounded,
    );
    if (total <= definitionCostLimit) return this.#errors;
    const expensive = this.#costs
      .filter(({ cost }) => cost >= definitionCostLimit / 100)
      .sort((a, b) => b.cost - a.cost)
      .slice(0, maxNamedRules);
    const detail = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
    const whole = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    return [
      ...this.#errors,
      ...expensive.map((rule) => fieldError.forbidden(rule.path, detail)),
      fieldError.forbidden(path, tooExpensive(whole, total, definitionCostLimit)),
    ];
  }
}

function tooExpensive(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const times = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${name} exceeds budget by factor of ${times} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** Shows the rule as upstream does: its internal form, in JSON as Go escapes it. */
function invalidRule(path: string, rule: ValidationRule, detail: string): FieldError {
  const shown = JSON.stringify(shownRule({ ...rule })).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return { type: 'FieldValueInvalid', path, message: `Invalid value: ${shown}: ${detail}` };
}
