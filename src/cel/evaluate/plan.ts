import type { Checked } from '../checker/checker.ts';
import type { CelEnvironment } from '../environment.ts';
import type { Expression, Identifier, ListExpression, MapExpression, Select, StructExpression } from '../syntax/ast.ts';
import { ArrayList, HashMap } from '../values/collections.ts';
import { Failure, fail, noSuchOverload, OptionalValue, type Value } from '../values/value.ts';
import { planIndex, planSelect, planTest } from './attributes.ts';
import { planCall } from './calls.ts';
import type { Frame, Step } from './frame.ts';
import { planAnd, planConditional, planNotStrictlyFalse, planOr } from './logic.ts';
import { planComprehension } from './loops.ts';
import { constantStep, costs, type Local, type Locals, type Planned, tryConstant } from './planned.ts';

/** Turns a checked expression into closures. */
export class Planner {
  readonly checked: Checked;
  readonly environment: CelEnvironment;
  /** What is known to fail whenever it is evaluated: conversions of constants. */
  readonly failures: string[] = [];
  #slots = 0;

  constructor(checked: Checked, environment: CelEnvironment) {
    this.checked = checked;
    this.environment = environment;
  }

  nextSlot(): number {
    return this.#slots++;
  }

  plan(expression: Expression, locals: Locals): Planned {
    switch (expression.kind) {
      case 'literal':
        return constantStep(expression.value);
      case 'identifier':
        return this.#identifier(expression, locals);
      case 'select':
        return this.#select(expression, locals);
      case 'call':
        return this.#call(expression, locals);
      case 'list':
        return this.#list(expression, locals);
      case 'map':
        return this.#map(expression, locals);
      case 'struct':
        return this.#struct(expression, locals);
      case 'comprehension':
        return planComprehension(this, expression, locals);
    }
  }

  #identifier({ id, name }: Identifier | { readonly id: number; readonly name: string }, locals: Locals): Planned {
    const resolved = this.checked.names.get(id);
    const local = resolved === undefined || resolved.local ? locals.get(resolved?.name ?? name) : undefined;
    if (local !== undefined) return { step: readLocal(local), isAttribute: true };
    if (resolved?.value !== undefined) return constantStep(resolved.value);
    const variable = resolved?.name ?? name;
    const step = (frame: Frame): Value => {
      frame.charge(costs.attribute);
      return frame.lookup(variable) ?? absent(frame, variable);
    };
    return { step, isAttribute: true };
  }

  #select(select: Select, locals: Locals): Planned {
    if (this.checked.names.has(select.id)) return this.#identifier({ id: select.id, name: '' }, locals);
    const operand = this.plan(select.operand, locals);
    return select.testOnly
      ? planTest(operand, select.field, this.environment.presenceTestHasCost)
      : planSelect(operand, select.field);
  }

  #call(call: Extract<Expression, { kind: 'call' }>, locals: Locals): Planned {
    const reference = this.checked.calls.get(call.id);
    const hasReceiver = reference?.hasReceiver ?? call.target !== undefined;
    const operands = (hasReceiver && call.target !== undefined ? [call.target, ...call.args] : call.args).map(
      (operand) => this.plan(operand, locals),
    );
    const [first, second, third] = operands;
    switch (reference?.function) {
      case '_&&_':
        return planAnd(first!, second!);
      case '_||_':
        return planOr(first!, second!);
      case '_?_:_':
        return planConditional(first!, second!, third!);
      case '@not_strictly_false':
        return planNotStrictlyFalse(first!);
      case '_[_]':
        return planIndex(first!, second!, false);
      case '_[?_]':
      case '_?._':
        return planIndex(first!, second!, true);
      default:
        return planCall(reference, call, operands, this);
    }
  }

  #list({ items, optional }: ListExpression, locals: Locals): Planned {
    const planned = items.map((item) => this.plan(item, locals));
    if (optional.size === 0 && planned.every(({ constant }) => constant !== undefined)) {
      return constantStep(new ArrayList(planned.map(({ constant }) => constant!)));
    }
    const steps = planned.map(({ step }) => step);
    if (optional.size > 0) return { step: optionalListStep(steps, optional) };
    return {
      step: (frame) => {
        const values = steps.map((step) => step(frame));
        frame.charge(costs.list);
        return new ArrayList(values);
      },
    };
  }

  #map({ entries }: MapExpression, locals: Locals): Planned {
    const planned = entries.map(({ key, value, optional }) => ({
      key: this.plan(key, locals),
      value: this.plan(value, locals),
      optional,
    }));
    if (planned.every(({ key, value, optional }) => !optional && isConstant(key) && isConstant(value))) {
      const constant = tryConstant(
        () => new HashMap(planned.map(({ key, value }) => [key.constant!, value.constant!] as const)),
      );
      if (constant !== undefined) return constant;
    }
    return {
      step: (frame) => {
        const values: (readonly [Value, Value])[] = [];
        for (const { key, value, optional } of planned) {
          const ownKey = key.step(frame);
          const ownValue = optional ? present(value.step(frame)) : value.step(frame);
          if (ownValue !== undefined) values.push([ownKey, ownValue]);
        }
        frame.charge(costs.map);
        return new HashMap(values);
      },
    };
  }

  #struct(struct: StructExpression, locals: Locals): Planned {
    const constructed = this.checked.structs.get(struct.id);
    const { types } = this.environment;
    if (constructed === undefined) return { step: () => fail(`unknown type: ${struct.type}`) };
    const fields = struct.fields.map(({ name, value, optional }) => ({
      name,
      step: this.plan(value, locals).step,
      optional,
    }));
    return {
      step: (frame) => {
        const values = new Map<string, Value>();
        for (const { name, step, optional } of fields) {
          const value = optional ? present(step(frame)) : step(frame);
          if (value !== undefined) values.set(name, value);
        }
        frame.charge(costs.struct);
        return types.construct!(constructed.name, values);
      },
    };
  }
}

const isConstant = ({ constant }: Planned): boolean => constant !== undefined;

/** A variable that is bound to null is not absent. */
function absent(frame: Frame, variable: string): Value {
  const value = frame.lookup(variable);
  return value === undefined ? fail(`no such attribute(s): ${variable}`) : value;
}

function readLocal({ slot, lazy }: Local): Step {
  return (frame) => {
    frame.charge(costs.attribute);
    const value = frame.slots[slot];
    if (value instanceof Failure) throw value;
    if (value !== undefined) return value;
    if (lazy === undefined) return fail('no such attribute');
    const first = lazy(frame);
    frame.slots[slot] = first;
    return first;
  };
}

/** What an optional holds. @throws Failure for anything else. */
function present(value: Value): Value | undefined {
  return value instanceof OptionalValue ? value.value : noSuchOverload();
}

function optionalListStep(steps: readonly Step[], optional: ReadonlySet<number>): Step {
  return (frame) => {
    const values: Value[] = [];
    for (const [index, step] of steps.entries()) {
      const value = optional.has(index) ? present(step(frame)) : step(frame);
      if (value !== undefined) values.push(value);
    }
    frame.charge(costs.list);
    return new ArrayList(values);
  };
}
