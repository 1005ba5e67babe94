import { type Failure, fail, type Value } from '../values/value.ts';
import { absorbable, type Frame, type Step } from './frame.ts';
import type { Planned } from './planned.ts';

function attempt(step: Step, frame: Frame): Value | Failure {
  try {
    return step(frame);
  } catch (error) {
    return absorbable(error);
  }
}

/** Both of `&&` and `||`: either operand decides with `decisive`, even where the other one fails. */
function planLogical(left: Planned, right: Planned, decisive: boolean): Planned {
  const first = left.step;
  const second = right.step;
  return {
    step: (frame) => {
      const before = attempt(first, frame);
      if (before === decisive) return decisive;
      const after = attempt(second, frame);
      if (after === decisive) return decisive;
      if (before === !decisive && after === !decisive) return !decisive;
      return typeof before === 'boolean' ? raise(after) : raise(before);
    },
  };
}

function raise(value: Value | Failure): never {
  if (typeof value === 'object' && value !== null && 'message' in value) throw value;
  return fail('no such overload');
}

export const planAnd = (left: Planned, right: Planned): Planned => planLogical(left, right, false);
export const planOr = (left: Planned, right: Planned): Planned => planLogical(left, right, true);

export function planConditional(condition: Planned, yes: Planned, no: Planned): Planned {
  const test = condition.step;
  const then = yes.step;
  const otherwise = no.step;
  return {
    step: (frame) => {
      const value = test(frame);
      return value === true ? then(frame) : value === false ? otherwise(frame) : fail('no such overload');
    },
    isAttribute: true,
  };
}

/** What loops test before each turn: anything but false goes on, failures included. */
export function planNotStrictlyFalse({ step }: Planned): Planned {
  return {
    step: (frame) => {
      const value = attempt(step, frame);
      frame.charge(1);
      return value !== false;
    },
  };
}
