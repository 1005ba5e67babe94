import { accumulatorName, type Expression, type MapEntry } from './ast.ts';
import type { MacroBuilder } from './macros.ts';

/** A macro does not take these arguments. */
export class MacroRefusal extends Error {
  readonly at: Expression;

  constructor(message: string, at: Expression) {
    super(message);
    this.at = at;
  }
}

export class MacroExpander implements MacroBuilder {
  readonly #id: () => number;

  constructor(nextId: () => number) {
    this.#id = nextId;
  }

  literal(value: boolean | number | string): Expression {
    return { kind: 'literal', id: this.#id(), value };
  }

  identifier(name: string): Expression {
    return { kind: 'identifier', id: this.#id(), name };
  }

  select(operand: Expression, field: string, { testOnly = false } = {}): Expression {
    return { kind: 'select', id: this.#id(), operand, field, testOnly };
  }

  call(name: string, ...args: readonly Expression[]): Expression {
    return { kind: 'call', id: this.#id(), function: name, target: undefined, args };
  }

  memberCall(target: Expression, name: string, ...args: readonly Expression[]): Expression {
    return { kind: 'call', id: this.#id(), function: name, target, args };
  }

  list(...items: readonly Expression[]): Expression {
    return { kind: 'list', id: this.#id(), items, optional: new Set() };
  }

  map(...entries: readonly Omit<MapEntry, 'id' | 'optional'>[]): Expression {
    const withIds = entries.map(({ key, value }) => ({ id: this.#id(), key, value, optional: false }));
    return { kind: 'map', id: this.#id(), entries: withIds };
  }

  fold(parts: Parameters<MacroBuilder['fold']>[0]): Expression {
    const { variable2, accumulator = accumulatorName, ...rest } = parts;
    return { kind: 'comprehension', id: this.#id(), variable2, accumulator, ...rest };
  }

  copy(expression: Expression): Expression {
    const id = this.#id();
    switch (expression.kind) {
      case 'literal':
      case 'identifier':
        return { ...expression, id };
      case 'select':
        return { ...expression, id, operand: this.copy(expression.operand) };
      case 'call': {
        const target = expression.target === undefined ? undefined : this.copy(expression.target);
        return { ...expression, id, target, args: expression.args.map((arg) => this.copy(arg)) };
      }
      case 'list':
        return { ...expression, id, items: expression.items.map((item) => this.copy(item)) };
      case 'map': {
        const entries = expression.entries.map((entry) => ({
          ...entry,
          id: this.#id(),
          key: this.copy(entry.key),
          value: this.copy(entry.value),
        }));
        return { ...expression, id, entries };
      }
      case 'struct': {
        const fields = expression.fields.map((field) => ({ ...field, id: this.#id(), value: this.copy(field.value) }));
        return { ...expression, id, fields };
      }
      case 'comprehension':
        return {
          ...expression,
          id,
          range: this.copy(expression.range),
          init: this.copy(expression.init),
          condition: this.copy(expression.condition),
          step: this.copy(expression.step),
          result: this.copy(expression.result),
        };
    }
  }

  refuse(message: string, at: Expression): never {
    throw new MacroRefusal(message, at);
  }
}
