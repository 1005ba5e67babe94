import type { Checked } from '../checker/checker.ts';
import type { CelEnvironment } from '../environment.ts';
import type { CallEstimate, OperandEstimate, Range } from '../library/library.ts';
import { accumulatorName, type Call, type Comprehension, type Expression, type Select } from '../syntax/ast.ts';
import { type CelType, isOptional } from '../types/types.ts';
import { codePointLength } from '../values/strings.ts';
import { addRanges, anything, exactly, multiplyRanges, nothing, uniteRanges } from './range.ts';

/** Knows how large the values of variables can be. */
export interface SizeKnowledge {
  /** The size of what stands at a path such as `['self', 'spec', 'names', '@items']`; undefined: nothing is known. */
  sizeAt(path: readonly string[]): Range | undefined;
}

const costs = { attribute: exactly(1), list: exactly(10), map: exactly(30), struct: exactly(40) } as const;

/** Sizes of the keys and values, or indexes and items, of a container that an expression makes. */
interface EntrySizes {
  readonly container: 'list' | 'map';
  readonly key: Range;
  readonly value: Range;
}

interface LocalVariable {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

/**
 * What an expression may cost, from the sizes that its variables can have (cel-go's checker.Cost). It decides what a
 * CustomResourceDefinition may contain.
 */
export function estimateCost(checked: Checked, environment: CelEnvironment, sizes: SizeKnowledge): Range {
  return new CostEstimator(checked, environment, sizes).cost(checked.expression);
}

class CostEstimator {
  readonly #checked: Checked;
  readonly #presenceCost: Range;
  readonly #known: SizeKnowledge;
  readonly #paths = new Map<number, readonly string[]>();
  readonly #locals = new Map<string, LocalVariable[]>();
  readonly #sizes = new Map<number, Range>();
  readonly #entries = new Map<number, EntrySizes>();

  constructor(checked: Checked, { presenceTestHasCost }: CelEnvironment, known: SizeKnowledge) {
    this.#checked = checked;
    this.#presenceCost = presenceTestHasCost ? costs.attribute : nothing;
    this.#known = known;
  }

  cost(expression: Expression): Range {
    switch (expression.kind) {
      case 'literal':
        return nothing;
      case 'identifier':
        this.#paths.set(expression.id, this.#local(expression.name)?.path ?? [expression.name]);
        return costs.attribute;
      case 'select':
        return this.#select(expression);
      case 'call':
        return this.#call(expression);
      case 'list': {
        const cost = this.#sum(expression.items);
        const value = this.#unite(expression.items.map((item) => this.#sizeOrUnknown(item)));
        this.#entries.set(expression.id, { container: 'list', key: exactly(1), value });
        return addRanges(cost, costs.list);
      }
      case 'map': {
        const cost = this.#sum(expression.entries.flatMap(({ key, value }) => [key, value]));
        const key = this.#unite(expression.entries.map((entry) => this.#sizeOrUnknown(entry.key)));
        const value = this.#unite(expression.entries.map((entry) => this.#sizeOrUnknown(entry.value)));
        this.#entries.set(expression.id, { container: 'map', key, value });
        return addRanges(cost, costs.map);
      }
      case 'struct':
        return addRanges(this.#sum(expression.fields.map(({ value }) => value)), costs.struct);
      case 'comprehension':
        return isBinding(expression) ? this.#binding(expression) : this.#comprehension(expression);
    }
  }

  #sum(expressions: readonly Expression[]): Range {
    return expressions.reduce((total, expression) => addRanges(total, this.cost(expression)), nothing);
  }

  #unite(ranges: readonly Range[]): Range {
    const [first, ...rest] = ranges;
    return first === undefined ? nothing : rest.reduce(uniteRanges, first);
  }

  #type({ id }: Expression): CelType | undefined {
    return this.#checked.types.get(id);
  }

  #local(name: string): LocalVariable | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #push(name: string, variable: LocalVariable): void {
    const known = this.#locals.get(name);
    if (known === undefined) this.#locals.set(name, [variable]);
    else known.push(variable);
  }

  #pop(name: string | undefined): void {
    if (name !== undefined) this.#locals.get(name)?.pop();
  }

  #path(expression: Expression): readonly string[] {
    const local = expression.kind === 'identifier' ? this.#local(expression.name) : undefined;
    return local?.path ?? this.#paths.get(expression.id) ?? [];
  }

  #select(select: Select): Range {
    const name = this.#checked.names.get(select.id);
    if (name !== undefined) {
      this.#paths.set(select.id, [name.name]);
      return costs.attribute;
    }
    const operand = this.cost(select.operand);
    if (select.testOnly) return addRanges(this.#presenceCost, operand);
    this.#paths.set(select.id, [...this.#path(select.operand), select.field]);
    const kind = this.#type(select.operand)?.kind;
    return kind === 'map' || kind === 'struct' || kind === 'param' ? addRanges(operand, costs.attribute) : operand;
  }

  #call(call: Call): Range {
    const reference = this.#checked.calls.get(call.id);
    if (reference === undefined) return nothing;
    const [first] = call.args;
    if (reference.function === 'dyn' && first !== undefined) {
      const cost = this.cost(first);
      this.#copySizes(call, first);
      return addRanges(exactly(1), cost);
    }
    const receiver = reference.hasReceiver ? call.target : undefined;
    const argCosts = call.args.map((arg) => this.cost(arg));
    const receiverCost = receiver === undefined ? nothing : this.cost(receiver);
    const operands = (receiver === undefined ? call.args : [receiver, ...call.args]).map((operand) =>
      this.#operand(operand),
    );
    const argCost = argCosts.reduce(addRanges, nothing);
    let own: Range | undefined;
    let size: Range | undefined;
    for (const { id, estimate } of reference.overloads) {
      const known = this.#special(call, id, argCosts) ?? withCost(estimate?.(operands), argCost);
      own = own === undefined ? known.cost : uniteRanges(own, known.cost);
      if (known.resultSize !== undefined)
        size = size === undefined ? known.resultSize : uniteRanges(size, known.resultSize);
      size = this.#indexed(call, id) ?? size ?? this.#size(call);
    }
    if (size !== undefined) this.#sizes.set(call.id, size);
    return addRanges(receiverCost, own ?? nothing);
  }

  /** Indexing goes on the path of the container. */
  #indexed(call: Call, overload: string): Range | undefined {
    const step = overload === 'index_list' ? '@items' : overload === 'index_map' ? '@values' : undefined;
    const [container] = call.args;
    if (step === undefined || container === undefined) return undefined;
    this.#paths.set(call.id, [...this.#path(container), step]);
    return this.#entrySizes(container)?.value;
  }

  /** Operators that do not evaluate all of their operands, or whose result holds what their operands held. */
  #special(call: Call, overload: string, argCosts: readonly Range[]): CallEstimate | undefined {
    const [a = nothing, b = nothing, c = nothing] = argCosts;
    const [first, second, third] = call.args as readonly [Expression, Expression, Expression];
    switch (overload) {
      case 'logical_and':
      case 'logical_or':
        return { cost: { min: a.min, max: addRanges(a, b).max } };
      case 'conditional':
        this.#setEntries(call, this.#uniteEntries(second, third));
        return {
          cost: addRanges(a, uniteRanges(b, c)),
          resultSize: uniteRanges(this.#sizeOrUnknown(second), this.#sizeOrUnknown(third)),
        };
      case 'add_list':
      case 'add_string':
      case 'add_bytes':
        this.#setEntries(call, this.#uniteEntries(first, second));
        return undefined;
      default:
        return undefined;
    }
  }

  #uniteEntries(a: Expression, b: Expression): EntrySizes | undefined {
    const left = this.#entrySizes(a);
    const right = this.#entrySizes(b);
    if (left === undefined || right === undefined) return undefined;
    const { container } = left;
    return { container, key: uniteRanges(left.key, right.key), value: uniteRanges(left.value, right.value) };
  }

  #operand(expression: Expression): OperandEstimate {
    const path = this.#path(expression);
    const isAccumulator = path[0] === accumulatorName;
    const type = this.#type(expression)!;
    const [item] = type.parameters;
    return {
      type,
      expression,
      path: isAccumulator ? [] : path,
      size: this.#sizeOrUnknown(expression),
      items: () => {
        if (type.kind !== 'list' || item === undefined) return undefined;
        const isRooted = path.length > 0 && !isAccumulator;
        return { type: item, size: (isRooted ? this.#known.sizeAt([...path, '@items']) : undefined) ?? anything };
      },
    };
  }

  #sizeOrUnknown(expression: Expression): Range {
    return this.#size(expression) ?? anything;
  }

  #size(expression: Expression): Range | undefined {
    const known = this.#sizes.get(expression.id) ?? sizeOfExpression(expression);
    if (known !== undefined) return known;
    const path = this.#path(expression);
    const declared = path.length === 0 || path[0] === accumulatorName ? undefined : this.#known.sizeAt(path);
    if (declared !== undefined) {
      this.#sizes.set(expression.id, declared);
      return declared;
    }
    const ofType = sizeOfType(this.#type(expression));
    if (ofType !== undefined) return ofType;
    return expression.kind === 'identifier' ? this.#local(expression.name)?.size : undefined;
  }

  #entrySizes(expression: Expression): EntrySizes | undefined {
    const known = this.#entries.get(expression.id);
    if (known !== undefined || expression.kind !== 'identifier') return known;
    return this.#local(expression.name)?.entries;
  }

  #setEntries({ id }: Expression, entries: EntrySizes | undefined): void {
    if (entries !== undefined) this.#entries.set(id, entries);
  }

  #copySizes(to: Expression, from: Expression): void {
    const size = this.#size(from);
    if (size !== undefined) this.#sizes.set(to.id, size);
    this.#setEntries(to, this.#entrySizes(from));
  }

  #binding(loop: Comprehension): Range {
    const before = addRanges(this.cost(loop.range), this.cost(loop.init));
    this.#pushAccumulator(loop);
    const result = this.cost(loop.result);
    this.#pop(loop.accumulator);
    this.#copySizes(loop, loop.result);
    return addRanges(before, result);
  }

  #pushAccumulator({ accumulator, init }: Comprehension): void {
    this.#push(accumulator, { path: this.#path(init), size: this.#size(init), entries: this.#entrySizes(init) });
  }

  #comprehension(loop: Comprehension): Range {
    const before = addRanges(this.cost(loop.range), this.cost(loop.init));
    this.#pushAccumulator(loop);
    this.#pushVariables(loop);
    const condition = this.cost(loop.condition);
    const step = this.cost(loop.step);
    this.#pop(loop.variable);
    this.#pop(loop.variable2);
    const result = this.cost(loop.result);
    this.#pop(loop.accumulator);
    const turns = this.#sizeOrUnknown(loop.range);
    if (loop.init.kind === 'literal') {
      const size = this.#size(loop.init);
      if (size !== undefined) this.#sizes.set(loop.id, size);
    } else if (loop.init.kind === 'list' || loop.init.kind === 'map') {
      this.#sizes.set(loop.id, turns);
      this.#setEntries(loop, this.#entrySizes(loop.step));
    }
    return addRanges(addRanges(before, result), multiplyRanges(turns, addRanges(step, condition)));
  }

  #pushVariables({ range, variable, variable2 }: Comprehension): void {
    const entries = this.#entrySizes(range);
    const isList = (entries?.container ?? this.#type(range)?.kind) === 'list';
    const path = this.#path(range);
    const key = { path: [...path, isList ? '@indices' : '@keys'], size: entries?.key, entries: undefined };
    const value = { path: [...path, isList ? '@items' : '@values'], size: entries?.value, entries: undefined };
    if (variable2 !== undefined) {
      this.#push(variable, key);
      this.#push(variable2, value);
    } else this.#push(variable, isList ? value : key);
  }
}

const withCost = (estimate: CallEstimate | undefined, args: Range): CallEstimate =>
  estimate === undefined
    ? { cost: addRanges(exactly(1), args) }
    : { ...estimate, cost: addRanges(estimate.cost, args) };

function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  const isEmpty = range.kind === 'list' && range.items.length === 0;
  return isEmpty && condition.kind === 'literal' && condition.value === false && accumulator !== accumulatorName;
}

function sizeOfExpression(expression: Expression): Range | undefined {
  switch (expression.kind) {
    case 'literal': {
      const { value } = expression;
      if (typeof value === 'string') return exactly(codePointLength(value));
      return exactly(value instanceof Uint8Array ? value.length : 1);
    }
    case 'list':
      return exactly(expression.items.length);
    case 'map':
      return exactly(expression.entries.length);
    default:
      return undefined;
  }
}

const scalars = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

function sizeOfType(type: CelType | undefined): Range | undefined {
  if (type === undefined) return undefined;
  if (isOptional(type)) return sizeOfType(type.parameters[0]);
  return scalars.has(type.kind) ? exactly(1) : undefined;
}
