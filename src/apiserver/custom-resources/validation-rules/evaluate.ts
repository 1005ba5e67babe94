import { OptionalValue, type Value } from '#cel/index.ts';
import { maxMessageBytes, perCallLimit, runtimeBudget } from '#cel/kubernetes/environment.ts';
import { typedJson } from '#cel/kubernetes/schema/values.ts';
import type { ValidationRule } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { byteLength } from '#machinery/names.ts';
import type { RuledChange } from '../rules-hook.ts';
import type { StructuralNode } from '../structural/node.ts';
import { type CompiledPlace, type CompiledRule, compilePlace } from './compile.ts';
import { resolveFieldPath } from './field-path.ts';

/** Old values by the places of the new ones: for ratcheting, which leaves alone what an update does not change. */
interface Correlation {
  readonly node: StructuralNode;
  readonly value: Json;
  /** Undefined: the value had no counterpart. */
  readonly old: Json | undefined;
}

interface Place {
  readonly path: string;
  readonly isRoot: boolean;
  readonly value: Json;
  /** What `oldSelf` is here. */
  readonly old: Json | undefined;
  /** Undefined: there is no telling what stood here before. */
  readonly correlation: Correlation | undefined;
  /** The nearest place above for which there is. */
  readonly parent: Correlation | undefined;
}

/** No rule is run any more. */
class Stopped extends Error {}

/** Compiled rules by place; they stay as long as the definition's schema does. */
export class RuleEvaluator {
  readonly #root: StructuralNode;
  readonly #compiled = new Map<StructuralNode, CompiledPlace | undefined>();

  constructor(root: StructuralNode) {
    this.#root = root;
  }

  validate({ value, old, warn }: RuledChange): readonly FieldError[] {
    const run = new Run((node, isRoot) => this.#placeOf(node, isRoot), warn);
    const correlation = old === undefined ? undefined : { node: this.#root, value, old };
    try {
      run.visit(this.#root, { path: '', isRoot: true, value, old, correlation, parent: undefined });
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
    return run.errors;
  }

  #placeOf(node: StructuralNode, isRoot: boolean): CompiledPlace | undefined {
    if (!this.#compiled.has(node)) this.#compiled.set(node, compilePlace(node, isRoot));
    return this.#compiled.get(node);
  }
}

class Run {
  readonly errors: FieldError[] = [];
  readonly #placeOf: (node: StructuralNode, isRoot: boolean) => CompiledPlace | undefined;
  readonly #warn: ((text: string) => void) | undefined;
  #left = runtimeBudget;

  constructor(
    placeOf: (node: StructuralNode, isRoot: boolean) => CompiledPlace | undefined,
    warn: ((text: string) => void) | undefined,
  ) {
    this.#placeOf = placeOf;
    this.#warn = warn;
  }

  visit(node: StructuralNode, place: Place): void {
    if (place.value === null || !node.within.rules) return;
    if (node.rules.length > 0) this.#rules(node, place);
    if (Array.isArray(place.value)) this.#items(node, place, place.value);
    else if (isObject(place.value)) this.#properties(node, place, place.value);
  }

  #items(node: StructuralNode, place: Place, value: readonly Json[]): void {
    const { items } = node;
    if (items === undefined) return;
    const old = Array.isArray(place.old) ? (place.old as readonly Json[]) : [];
    const before = Array.isArray(place.correlation?.old) ? (place.correlation.old as readonly Json[]) : undefined;
    for (const [index, item] of value.entries()) {
      const matching = (list: readonly Json[]): Json | undefined => counterpart(node, item, list);
      this.visit(items, {
        path: `${place.path}[${index}]`,
        isRoot: false,
        value: item,
        old: matching(old),
        correlation:
          before === undefined || node.listType !== 'map'
            ? undefined
            : { node: items, value: item, old: matching(before) },
        parent: place.correlation ?? place.parent,
      });
    }
  }

  #properties(node: StructuralNode, place: Place, value: JsonObject): void {
    const old = isObject(place.old) && !node.atomic ? place.old : {};
    const before = isObject(place.correlation?.old) ? place.correlation.old : undefined;
    const visit = (inner: StructuralNode, name: string, path: string): void => {
      const own = value[name];
      if (own === undefined) return;
      this.visit(inner, {
        path,
        isRoot: false,
        value: own,
        old: Object.hasOwn(old, name) ? old[name] : undefined,
        correlation:
          before === undefined
            ? undefined
            : { node: inner, value: own, old: Object.hasOwn(before, name) ? before[name] : undefined },
        parent: place.correlation ?? place.parent,
      });
    };
    if (typeof node.additional === 'object') {
      for (const name of Object.keys(value)) visit(node.additional, name, `${place.path}[${name}]`);
    }
    for (const name of Object.keys(value)) {
      const inner = node.properties.get(name);
      if (inner !== undefined) visit(inner, name, place.path === '' ? name : `${place.path}.${name}`);
    }
  }

  #rules(node: StructuralNode, place: Place): void {
    const compiled = this.#placeOf(node, place.isRoot);
    if (compiled === undefined) return;
    const { declared } = compiled;
    const type = place.isRoot ? 'object' : node.type;
    const refuse = (detail: string): void => {
      this.errors.push(fieldError.invalid(pathText(place.path), type, detail));
    };
    const self = typedJson(place.value, declared);
    const old = place.old === undefined || place.old === null ? undefined : typedJson(place.old, declared);
    for (const rule of compiled.rules) {
      if (rule.program === undefined) {
        refuse(`rule compile error: ${rule.error}`);
        continue;
      }
      const isOptional = rule.rule.optionalOldSelf === true;
      if (rule.usesOldSelf && old === undefined && !isOptional) continue;
      const oldSelf = isOptional ? (old === undefined ? OptionalValue.none : new OptionalValue(old)) : old;
      const bindings = (name: string): Value | undefined => (name === 'self' ? self : oldSelf);
      if (!this.#holds(rule, bindings, refuse)) this.#fail(rule, bindings, node, place);
    }
  }

  /** Whether a rule holds; one that cannot be evaluated has been reported. */
  #holds(
    { rule, program }: CompiledRule,
    bindings: (name: string) => Value | undefined,
    refuse: (detail: string) => void,
  ): boolean {
    const outcome = program!.evaluate(bindings, { costLimit: perCallLimit });
    this.#left -= outcome.cost;
    if (this.#left < 0) {
      refuse('validation failed due to running out of cost budget, no further validation rules will be run');
      throw new Stopped();
    }
    if (!('error' in outcome)) return outcome.value === true;
    const { error, cancelled } = outcome;
    if (cancelled) {
      refuse(
        `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${nameOf(rule)}`,
      );
      throw new Stopped();
    }
    if (error.startsWith('no such overload')) {
      const what = 'call arguments did not match a supported operator, function or macro signature';
      refuse(`'${error}': ${what} for rule: ${nameOf(rule)}`);
    } else refuse(`${error} evaluating rule: ${nameOf(rule)}`);
    return true;
  }

  #fail(
    compiled: CompiledRule,
    bindings: (name: string) => Value | undefined,
    node: StructuralNode,
    place: Place,
  ): void {
    const { rule, usesOldSelf } = compiled;
    const within = (rule.fieldPath ?? '') === '' ? '' : resolveFieldPath(rule.fieldPath!, node);
    const path = within === undefined || within === '' ? place.path : join(place.path, within);
    const detail = this.#message(compiled, bindings, path, node) ?? fallback(rule);
    // What an update does not touch may stay as it is, whatever has become a rule since.
    const correlation = place.correlation ?? place.parent;
    const isUntouched = !usesOldSelf && correlation?.old !== undefined && isSame(correlation);
    const error = failure(rule, pathText(path), place.value, detail);
    if (isUntouched) this.#warn?.(`${error.path}: ${error.message}`);
    else this.errors.push(error);
  }

  #message(
    { rule, message }: CompiledRule,
    bindings: (name: string) => Value | undefined,
    path: string,
    node: StructuralNode,
  ): string | undefined {
    if (message === undefined) return undefined;
    const outcome = message.evaluate(bindings, { costLimit: perCallLimit });
    this.#left -= outcome.cost;
    const stop = (detail: string): never => {
      this.errors.push(fieldError.invalid(pathText(path), node.type, detail));
      throw new Stopped();
    };
    if (this.#left < 0) {
      stop(
        'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
      );
    }
    if ('error' in outcome) {
      if (!outcome.cancelled) return undefined;
      const which = JSON.stringify(rule.messageExpression);
      return stop(
        `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${which}`,
      );
    }
    const text = typeof outcome.value === 'string' ? outcome.value.trim() : '';
    return text === '' || text.includes('\n') || byteLength(text) > maxMessageBytes ? undefined : text;
  }
}

/** The item of a list by keys that has the keys of this one. */
function counterpart(node: StructuralNode, item: Json, list: readonly Json[]): Json | undefined {
  const identity = (other: Json): string | undefined =>
    node.listType === 'map' && isObject(other)
      ? JSON.stringify(
          node.listKeys.map((key) => other[key] ?? null),
          (_, own) => (typeof own === 'bigint' ? String(own) : own),
        )
      : undefined;
  const own = identity(item);
  return own === undefined ? undefined : list.find((other) => identity(other) === own);
}

/** Whether nothing has changed; the order of items that have keys does not count. */
function isSame({ node, value, old }: Correlation): boolean {
  const { items } = node;
  if (Array.isArray(value) && Array.isArray(old) && node.listType === 'map' && items !== undefined) {
    return (
      value.length === old.length &&
      value.every((item: Json) => isSame({ node: items, value: item, old: counterpart(node, item, old) }))
    );
  }
  if (!isObject(value) || !isObject(old)) return old !== undefined && equalValues(value, old);
  const names = Object.keys(value);
  if (names.length !== Object.keys(old).length) return false;
  return names.every((name) => {
    const own = node.properties.get(name) ?? (typeof node.additional === 'object' ? node.additional : undefined);
    if (own !== undefined) return isSame({ node: own, value: value[name]!, old: old[name] });
    return Object.hasOwn(old, name) && equalValues(value[name], old[name]);
  });
}

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const pathText = (path: string): string => (path === '' ? '<nil>' : path);

function join(path: string, more: string): string {
  return path === '' || more.startsWith('[') ? path + more : `${path}.${more}`;
}

function nameOf({ message = '', rule = '' }: ValidationRule): string {
  return message === '' ? rule.trim() : message.trim();
}

function fallback(rule: ValidationRule): string {
  const { message = '' } = rule;
  return message === '' ? `failed rule: ${nameOf(rule)}` : message.trim();
}

function failure(
  { reason = 'FieldValueInvalid' }: ValidationRule,
  path: string,
  value: Json,
  detail: string,
): FieldError {
  const isWhole = typeof value === 'object';
  switch (reason) {
    case 'FieldValueForbidden':
      return fieldError.forbidden(path, detail);
    case 'FieldValueRequired':
      return fieldError.required(path, detail);
    case 'FieldValueDuplicate':
      return isWhole
        ? { type: 'FieldValueDuplicate', path, message: 'Duplicate value' }
        : fieldError.duplicate(path, value);
    default:
      return isWhole
        ? { type: 'FieldValueInvalid', path, message: `Invalid value: ${detail}` }
        : fieldError.invalid(path, value, detail);
  }
}
