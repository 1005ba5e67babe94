import { stringifyJson } from '../json.ts';
import type { Json, JsonObject } from '../meta.ts';
import {
  type FilterOperator,
  JsonPathError,
  type PathNode,
  parsePath,
  parseTemplate,
  type Slice,
  type TemplatePart,
} from './parse.ts';

export { JsonPathError } from './parse.ts';

export interface JsonPathOptions {
  /** Fields that are not there are nothing, instead of an error. */
  readonly allowMissingKeys?: boolean;
  /** What a path reaches is written as a JSON list, instead of as words. */
  readonly asJson?: boolean;
}

/**
 * A template of kubectl's JSONPath (https://kubernetes.io/docs/reference/kubectl/jsonpath/): gives the text for a
 * value. Throws JsonPathError, at once for a template that cannot be read and later for a field that is missing.
 */
export function compileJsonPath(template: string, options: JsonPathOptions = {}): (data: Json) => string {
  const parts = parseTemplate(template);
  checkRanges(parts);
  return (data) => new Evaluation(data, options).template(parts, 0, parts.length, data);
}

/** All values that a single path reaches. */
export function compilePath(path: string, options: JsonPathOptions = {}): (data: Json) => readonly Json[] {
  const nodes = parsePath(relaxed(path));
  return (data) => new Evaluation(data, options).walk(nodes, [data]);
}

/** `x.y`, `.x.y`, `{x.y}` and `{.x.y}` are one path where only a path can stand. Throws JsonPathError. */
function relaxed(path: string): string {
  const match = /^\{?\.?([^{}]*)\}?$/s.exec(path.trim());
  if (path === '') return path;
  if (match === null) {
    throw new JsonPathError(
      `unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'`,
    );
  }
  const inner = match[1]!;
  return inner.startsWith('[') || inner.startsWith('$') || inner.startsWith('@') ? inner : `.${inner}`;
}

/** How a value reads where text is wanted: containers as JSON, everything else bare. */
export function textOf(value: Json): string {
  if (value === null) return '<nil>';
  return typeof value === 'object' ? stringifyJson(sortedKeys(value)) : String(value);
}

function sortedKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortedKeys(value[key] ?? null)]),
  );
}

function checkRanges(parts: readonly TemplatePart[]): void {
  let depth = 0;
  for (const [first] of parts) {
    if (first?.type === 'range') depth++;
    else if (first?.type === 'end' && depth-- === 0) throw new JsonPathError('not in range, nothing to end');
  }
  if (depth > 0) throw new JsonPathError('unterminated range');
}

const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

class Evaluation {
  readonly #root: Json;
  readonly #allowMissingKeys: boolean;
  readonly #asJson: boolean;

  constructor(root: Json, options: JsonPathOptions) {
    this.#root = root;
    this.#allowMissingKeys = options.allowMissingKeys === true;
    this.#asJson = options.asJson === true;
  }

  /** The text of `parts` from `from` up to `to`, with `data` as what paths start from. */
  template(parts: readonly TemplatePart[], from: number, to: number, data: Json): string {
    let text = '';
    for (let at = from; at < to; at++) {
      const nodes = parts[at]!;
      if (nodes[0]?.type === 'range') {
        const end = endOfRange(parts, at);
        for (const item of this.walk(nodes.slice(1), [data])) text += this.template(parts, at + 1, end, item);
        at = end;
      } else text += this.#written(this.walk(nodes, [data]));
    }
    return text;
  }

  #written(values: readonly Json[]): string {
    return this.#asJson ? `${stringifyJson(sortedKeys(values), 4)}\n` : values.map(textOf).join(' ');
  }

  walk(nodes: readonly PathNode[], start: readonly Json[]): readonly Json[] {
    return nodes.reduce<readonly Json[]>((values, node) => this.#step(node, values), start);
  }

  #step(node: PathNode, values: readonly Json[]): readonly Json[] {
    switch (node.type) {
      case 'text':
        return [node.text];
      case 'identifier':
        throw new JsonPathError(`unrecognized identifier ${node.name}`);
      case 'literal':
        return [node.value];
      case 'root':
        return [this.#root];
      case 'current':
        return values;
      case 'field':
        return this.#field(node.name, values);
      case 'wildcard':
        return values.flatMap(membersOf);
      case 'recursive':
        return values.flatMap(containersWithin);
      case 'slice':
        return values.flatMap((value) => sliceOf(value, node.slice));
      case 'union':
        return node.branches.flatMap((branch) => this.walk(branch, values));
      case 'filter':
        return values.flatMap((value) => this.#filter(node, value));
      case 'range':
      case 'end':
        return [];
    }
  }

  #field(name: string, values: readonly Json[]): readonly Json[] {
    if (values.length === 0) return [];
    const found = values.flatMap((value) => {
      const member = isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
      return member === undefined ? [] : [member];
    });
    if (found.length === 0 && !this.#allowMissingKeys) throw new JsonPathError(`${name} is not found`);
    return found;
  }

  #filter(node: PathNode & { readonly type: 'filter' }, value: Json): readonly Json[] {
    if (value === null) return [];
    if (!isList(value)) throw new JsonPathError(`${textOf(value)} is not array or slice and cannot be filtered`);
    return value.filter((item) => {
      const left = this.#quiet(node.left, item);
      if (node.operator === 'exists') return left.length > 0;
      if (left.length === 0) return false;
      const right = this.#quiet(node.right, item);
      if (left.length > 1 || right.length > 1) throw new JsonPathError('can only compare one element at a time');
      return right.length === 1 && compare(left[0]!, node.operator, right[0]!);
    });
  }

  /** Inside a filter a missing field only means that the filter does not match. */
  #quiet(nodes: readonly PathNode[], item: Json): readonly Json[] {
    return new Evaluation(this.#root, { allowMissingKeys: true }).walk(nodes, [item]);
  }
}

function endOfRange(parts: readonly TemplatePart[], start: number): number {
  let depth = 0;
  for (let at = start; at < parts.length; at++) {
    const type = parts[at]![0]?.type;
    if (type === 'range') depth++;
    else if (type === 'end' && --depth === 0) return at;
  }
  return parts.length;
}

function membersOf(value: Json): readonly Json[] {
  if (isList(value)) return value;
  if (!isMap(value)) return [];
  return Object.keys(value)
    .sort()
    .flatMap((key) => (value[key] === undefined ? [] : [value[key]]));
}

/** The value and everything within it, as far as it has members. */
function containersWithin(value: Json): readonly Json[] {
  const members = membersOf(value);
  return members.length === 0 ? [] : [value, ...members.flatMap(containersWithin)];
}

function sliceOf(value: Json, { start: from, end: to, step = 1, isIndex }: Slice): readonly Json[] {
  if (value === null) return [];
  if (!isList(value)) throw new JsonPathError(`${textOf(value)} is not array or slice`);
  const { length } = value;
  const counted = (index: number): number => (index < 0 ? index + length : index);
  const start = counted(from ?? 0);
  const end = isIndex ? start + 1 : counted(to ?? length);
  if (start === end) return [];
  const outside = (index: number): JsonPathError =>
    new JsonPathError(`array index out of bounds: index ${index}, length ${length}`);
  if (start < 0 || start >= length) throw outside(start);
  if (end < 0 || end > length) throw outside(end - 1);
  if (step <= 0) throw new JsonPathError('step must be > 0');
  return value.slice(start, end).filter((_, index) => index % step === 0);
}

function compare(left: Json, operator: FilterOperator, right: Json): boolean {
  const comparable = typeof left === typeof right && typeof left !== 'object';
  if (!comparable) {
    if (left === null || right === null) return operator === '!=' ? left !== right : left === right;
    throw new JsonPathError('incompatible types for comparison');
  }
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return (left as number) < (right as number);
    case '<=':
      return (left as number) <= (right as number);
    case '>':
      return (left as number) > (right as number);
    case '>=':
      return (left as number) >= (right as number);
    case 'exists':
      return true;
  }
}
