import { accumulatorName, type Comprehension } from '../syntax/ast.ts';
import { MutableList, MutableMap } from '../values/mutable.ts';
import { runtimeType } from '../values/runtime-type.ts';
import { fail, ListValue, MapValue, type Value } from '../values/value.ts';
import { absorbable, type Frame, type Step } from './frame.ts';
import type { Planner } from './plan.ts';
import type { Local, Locals, Planned } from './planned.ts';

interface Loop {
  readonly range: Step;
  readonly init: Step;
  readonly condition: Step;
  /** The condition always holds, so that a failure ends the loop: nothing is left to absorb it. */
  readonly isEndless: boolean;
  readonly step: Step;
  readonly result: Step;
  readonly accumulator: number;
  readonly first: number;
  readonly second: number | undefined;
}

export function planComprehension(planner: Planner, expression: Comprehension, locals: Locals): Planned {
  if (isBinding(expression)) return planBinding(planner, expression, locals);
  const accumulator = planner.nextSlot();
  const first = planner.nextSlot();
  const second = expression.variable2 === undefined ? undefined : planner.nextSlot();
  const within = extend(locals, expression.accumulator, { slot: accumulator });
  const variables = extend(within, expression.variable, { slot: first });
  const inLoop = second === undefined ? variables : extend(variables, expression.variable2!, { slot: second });
  const condition = planner.plan(expression.condition, inLoop);
  const loop: Loop = {
    range: planner.plan(expression.range, locals).step,
    init: collector(expression) ?? planner.plan(expression.init, locals).step,
    condition: condition.step,
    isEndless: condition.constant === true,
    step: planner.plan(expression.step, inLoop).step,
    result: planner.plan(expression.result, within).step,
    accumulator,
    first,
    second,
  };
  return { step: (frame) => run(loop, frame) };
}

const extend = (locals: Locals, name: string, local: Local): Locals => new Map(locals).set(name, local);

/** What collects items is changed in place: nobody but the loop's own step sees it. */
function collector({ accumulator, init }: Comprehension): Step | undefined {
  if (accumulator !== accumulatorName) return undefined;
  if (init.kind === 'list' && init.items.length === 0) return () => new MutableList();
  if (init.kind === 'map' && init.entries.length === 0) return () => new MutableMap();
  return undefined;
}

function run(loop: Loop, frame: Frame): Value {
  const { slots } = frame;
  const range = loop.range(frame);
  slots[loop.accumulator] = loop.init(frame);
  if (range instanceof ListValue) {
    for (let index = 0; index < range.size; index++) {
      slots[loop.first] = loop.second === undefined ? range.at(index) : index;
      if (loop.second !== undefined) slots[loop.second] = range.at(index);
      if (!turn(loop, frame)) break;
    }
  } else if (range instanceof MapValue) {
    for (const key of range.keys()) {
      slots[loop.first] = key;
      if (loop.second !== undefined) slots[loop.second] = range.get(key)!;
      if (!turn(loop, frame)) break;
    }
  } else return fail(`got '${goName(range)}', expected iterable type`);
  const result = loop.result(frame);
  if (result instanceof MutableList || result instanceof MutableMap) result.frozen = true;
  return result;
}

/** What cel-go calls the type of a value that cannot be gone through. */
function goName(value: Value): string {
  const name = runtimeType(value).name.split('.').at(-1) ?? '';
  return `types.${name === 'null_type' ? 'Null' : name.charAt(0).toUpperCase() + name.slice(1)}`;
}

/** One turn. False: the loop ends. */
function turn(loop: Loop, frame: Frame): boolean {
  frame.turn();
  if (!loop.isEndless && loop.condition(frame) !== true) return false;
  try {
    frame.slots[loop.accumulator] = loop.step(frame);
  } catch (error) {
    frame.slots[loop.accumulator] = absorbable(error);
    return !loop.isEndless;
  }
  return true;
}

/** `cel.bind` and its like: a loop over nothing whose accumulator is the variable. */
function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  return (
    range.kind === 'list' &&
    range.items.length === 0 &&
    condition.kind === 'literal' &&
    condition.value === false &&
    accumulator !== accumulatorName
  );
}

function planBinding(planner: Planner, expression: Comprehension, locals: Locals): Planned {
  const slot = planner.nextSlot();
  const { step: lazy } = planner.plan(expression.init, locals);
  const { step } = planner.plan(expression.result, extend(locals, expression.accumulator, { slot, lazy }));
  return {
    step: (frame) => {
      frame.slots[slot] = undefined;
      return step(frame);
    },
  };
}
