import type { Overload } from '../library/library.ts';
import { addRanges, exactly, multiplyRanges, scaleRange } from './range.ts';
import { patternLength, sizeOf, traversal, traverse } from './sizes.ts';

/** What kinds of call cost, estimated and actual: spread into an overload. */
export type CallCost = Pick<Overload, 'cost' | 'estimate'>;

/** Goes through its first operand. */
const traversesFirst: CallCost = {
  cost: ([text]) => traverse(text!),
  estimate: ([text]) => ({ cost: scaleRange(text!.size, traversal) }),
};

/** `startsWith`: estimated by the prefix; what counts is the text. */
export const traversesPrefix: CallCost = {
  cost: ([text]) => traverse(text!),
  estimate: ([, prefix]) => ({ cost: scaleRange(prefix!.size, traversal) }),
};

export const comparesTexts: CallCost = {
  cost: ([a, b]) => Math.ceil(Math.min(sizeOf(a!), sizeOf(b!)) * traversal),
  estimate: ([a, b]) => {
    const max = Math.min(a!.size.max, b!.size.max);
    return { cost: scaleRange({ min: max > 0 ? 1 : 0, max }, traversal) };
  },
};

export const joinsTexts: CallCost = {
  cost: ([a, b]) => Math.ceil((sizeOf(a!) + sizeOf(b!)) * traversal),
  estimate: ([a, b]) => {
    const resultSize = addRanges(a!.size, b!.size);
    return { cost: scaleRange(resultSize, traversal), resultSize };
  },
};

export const joinsLists: CallCost = {
  estimate: ([a, b]) => ({ cost: exactly(1), resultSize: addRanges(a!.size, b!.size) }),
};

export const searchesList: CallCost = {
  cost: ([, list]) => sizeOf(list!),
  estimate: ([, list]) => ({ cost: list!.size }),
};

export const searchesText: CallCost = {
  cost: ([text, part]) => traverse(text!) * traverse(part!),
  estimate: ([text, part]) => ({
    cost: multiplyRanges(scaleRange(text!.size, traversal), scaleRange(part!.size, traversal)),
  }),
};

/** One is added to the text's size, so that an empty one does not make the pattern free. */
export const matchesPattern: CallCost = {
  cost: ([text, pattern]) => Math.ceil((1 + sizeOf(text!)) * traversal) * Math.ceil(sizeOf(pattern!) * patternLength),
  estimate: ([text, pattern]) => ({
    cost: multiplyRanges(
      scaleRange(addRanges(text!.size, exactly(1)), traversal),
      scaleRange(pattern!.size, patternLength),
    ),
  }),
};

/** `bytes(text)`: a code point becomes up to four bytes. */
export const encodesText: CallCost = {
  cost: traversesFirst.cost,
  estimate: ([text]) => ({
    cost: scaleRange(text!.size, traversal),
    resultSize: { min: text!.size.min, max: text!.size.max * 4 },
  }),
};

export const decodesText: CallCost = {
  cost: traversesFirst.cost,
  estimate: ([bytes]) => ({
    cost: scaleRange(bytes!.size, traversal),
    resultSize: { min: Math.floor(bytes!.size.min / 4), max: bytes!.size.max },
  }),
};
