import type { CallReference, Checked } from '../checker/checker.ts';
import type { Overload } from '../library/library.ts';
import type { Call } from '../syntax/ast.ts';
import { isDynamic } from '../types/types.ts';
import { keyOf } from '../values/collections.ts';
import { accepts, runtimeType } from '../values/runtime-type.ts';
import { fail, ListValue, type Value } from '../values/value.ts';
import type { Frame } from './frame.ts';
import type { Planner } from './plan.ts';
import { type Planned, tryConstant } from './planned.ts';

type Evaluate = (...args: readonly Value[]) => Value;

/** Conversions of constants are done once, as cel-go does, and then cost nothing. */
const conversions = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'timestamp',
  'type',
  'uint',
]);

export function planCall(
  reference: CallReference | undefined,
  call: Call,
  operands: readonly Planned[],
  { checked, failures }: Pick<Planner, 'checked' | 'failures'>,
): Planned {
  if (reference === undefined) return { step: () => fail(`no such overload: ${call.function}`) };
  const evaluate = dispatch(reference, call, checked);
  const [first, second] = operands;
  if (conversions.has(reference.function) && operands.length === 1 && first!.constant !== undefined) {
    const constant = tryConstant(() => evaluate(first!.constant!), failures);
    if (constant !== undefined) return constant;
  }
  if (reference.function === '@in' && second!.constant instanceof ListValue) {
    const planned = planMembership(first!, second!.constant);
    if (planned !== undefined) return planned;
  }
  const overload = reference.overloads.length === 1 ? reference.overloads[0]! : undefined;
  const cost = overload?.cost;
  const charge = (frame: Frame, args: readonly Value[], result: Value): void => {
    frame.charge(cost?.(args, result) ?? 1);
  };
  return { step: stepOf(operands, evaluate, charge) };
}

function stepOf(
  operands: readonly Planned[],
  evaluate: Evaluate,
  charge: (frame: Frame, args: readonly Value[], result: Value) => void,
): Planned['step'] {
  const [first, second] = operands.map(({ step }) => step);
  if (operands.length === 1) {
    return (frame) => {
      const value = first!(frame);
      const result = evaluate(value);
      charge(frame, [value], result);
      return result;
    };
  }
  if (operands.length === 2) {
    return (frame) => {
      const left = first!(frame);
      const right = second!(frame);
      const result = evaluate(left, right);
      charge(frame, [left, right], result);
      return result;
    };
  }
  return (frame) => {
    const args = operands.map(({ step }) => step(frame));
    const result = evaluate(...args);
    charge(frame, args, result);
    return result;
  };
}

/** Operators look at their operands themselves, all overloads alike. */
const isOperator = (name: string): boolean => /^[^a-zA-Z]/.test(name);

/** The function to call: chosen now where types decide, otherwise by looking at the arguments. */
function dispatch({ overloads, function: name, hasReceiver }: CallReference, call: Call, checked: Checked): Evaluate {
  const operands = hasReceiver && call.target !== undefined ? [call.target, ...call.args] : call.args;
  const candidates = overloads.filter(({ parameters }) => parameters.length === operands.length);
  const [first] = candidates;
  if (first === undefined) return () => fail(`no such overload: ${name}`);
  const common = first.evaluate as Evaluate;
  if (isOperator(name) && candidates.every(({ evaluate }) => evaluate === first.evaluate)) return common;
  const isCertain = operands.every(({ id }, index) => {
    const type = checked.types.get(id);
    return type === undefined || !isDynamic(type) || isOpen(first, index);
  });
  if (candidates.length === 1 && isCertain) return common;
  return (...args) => {
    for (const { parameters, evaluate } of candidates) {
      if (parameters.every((type, index) => accepts(type, args[index]!))) return (evaluate as Evaluate)(...args);
    }
    return fail(`no such overload: ${name}(${args.map((arg) => runtimeType(arg).name).join(', ')})`);
  };
}

const isOpen = ({ parameters }: Overload, index: number): boolean =>
  ['dyn', 'any', 'param'].includes(parameters[index]?.kind ?? 'dyn');

/** `x in [constants]` without going through them. Undefined: they are not all of one simple kind. */
function planMembership({ step }: Planned, list: ListValue): Planned | undefined {
  const keys = new Set<unknown>();
  for (const item of list) {
    if (typeof item !== 'string' && typeof item !== 'number' && typeof item !== 'boolean') return undefined;
    keys.add(item);
  }
  return { step: (frame) => keys.has(keyOf(step(frame))) };
}
