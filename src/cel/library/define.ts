import type { CallCost } from '../cost/calls.ts';
import type { CelType } from '../types/types.ts';
import type { Overload } from './library.ts';

type Parts = readonly [id: string, parameters: readonly CelType[], result: CelType, evaluate: Overload['evaluate']];

/** `name(args)`. */
export function global(name: string, ...[id, parameters, result, evaluate]: Parts): Overload {
  return { function: name, id, parameters, result, evaluate };
}

/** `receiver.name(args)`. */
export function member(name: string, ...[id, parameters, result, evaluate]: Parts): Overload {
  return { function: name, id, parameters, result, evaluate, member: true };
}

export const costing = (overload: Overload, cost: CallCost): Overload => ({ ...overload, ...cost });
