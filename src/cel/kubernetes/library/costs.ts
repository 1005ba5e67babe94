import type { CallCost } from '../../cost/calls.ts';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../../cost/range.ts';
import { patternLength, sizeOf, traversal } from '../../cost/sizes.ts';
import type { Library, OperandEstimate, Overload, Range } from '../../library/library.ts';
import { OpaqueValue } from '../../values/value.ts';
import { FormatValue } from './format.ts';

/**
 * What calls cost in Kubernetes, by the function's name: this decides which rules a CustomResourceDefinition may have,
 * so that every number here is behaviour. Functions that are not named cost what cel-go says.
 */

const fixed = (cost: number): CallCost => ({ cost: () => cost, estimate: () => ({ cost: exactly(cost) }) });

/** Goes through its first operand `times`. */
const traverses = (times: number): CallCost => ({
  cost: ([text]) => Math.ceil(sizeOf(text!) * times * traversal),
  estimate: ([text]) => ({ cost: scaleRange(text!.size, times * traversal) }),
});

const keepsSize = (times: number): CallCost => ({
  cost: traverses(times).cost,
  estimate: ([text]) => ({ cost: scaleRange(text!.size, times * traversal), resultSize: text!.size }),
});

/** An authorization check: two of them are as much as an expression may cost. */
const access = fixed(350_000);
const accessor = fixed(1);

/** Each item is looked at once; texts and bytes are gone through. */
const visitsItems: CallCost = {
  cost: ([list]) => Math.ceil(sizeOf(list!) * (typeof list === 'string' ? traversal : 1)),
  estimate: ([list]) => {
    const items = list!.items?.();
    if (items === undefined) return { cost: scaleRange(list!.size, traversal) };
    const isText = items.type.kind === 'string' || items.type.kind === 'bytes';
    const each = isText ? addRanges(exactly(1), scaleRange(items.size, traversal)) : exactly(1);
    return { cost: multiplyRanges(list!.size, each) };
  },
};

const patternCost = (text: Range, pattern: Range): Range =>
  multiplyRanges(scaleRange(addRanges(text, exactly(1)), traversal), scaleRange(pattern, patternLength));

const findsPattern = (hasResultSize: boolean): CallCost => ({
  cost: ([text, pattern]) => patternCost(exactly(sizeOf(text!)), exactly(sizeOf(pattern!))).max,
  estimate: ([text, pattern]) => ({
    cost: patternCost(text!.size, pattern!.size),
    ...(hasResultSize ? { resultSize: text!.size } : {}),
  }),
});

/** A selector is a list of requirements, at least two characters each, made of a struct and a list. */
const selects: CallCost = {
  cost: ([, selector]) => selectorCost(exactly(sizeOf(selector!))).max,
  estimate: ([, selector]) => ({ cost: selectorCost(selector!.size) }),
};

function selectorCost(length: Range): Range {
  const requirements = scaleRange(scaleRange(length, 0.5), 50);
  return addRanges(addRanges(exactly(10), scaleRange(length, traversal)), requirements);
}

const replaces: CallCost = {
  cost: traverses(2).cost,
  estimate: ([text, old, by]) => ({
    cost: scaleRange(text!.size, 2 * traversal),
    resultSize: {
      min: replacedSize(text!.size.min, old!.size.max, by!.size.min, 'shortest'),
      max: replacedSize(text!.size.max, old!.size.min, by!.size.max, 'longest'),
    },
  }),
};

/** How long a text is at the least or most after parts of `old` code points have been replaced by `by`. */
function replacedSize(text: number, old: number, by: number, wanted: 'shortest' | 'longest'): number {
  if (old === 0) return (text + 1) * by + text;
  const isNoGain = wanted === 'longest' ? by <= old : old <= by;
  return isNoGain ? text : Math.ceil(text / old) * by;
}

const splits: CallCost = {
  cost: traverses(2).cost,
  estimate: ([text, , limit]) => ({
    cost: scaleRange(text!.size, 2 * traversal),
    resultSize: { min: 0, max: literalNumber(limit) ?? text!.size.max },
  }),
};

function literalNumber(operand: OperandEstimate | undefined): number | undefined {
  const expression = operand?.expression;
  return expression?.kind === 'literal' && typeof expression.value === 'number' ? expression.value : undefined;
}

const joins: CallCost = {
  cost: (_args, result) => Math.ceil(sizeOf(result) * 2 * traversal),
  estimate: ([list, separator]) => {
    const items = list!.items?.();
    let size: Range = items === undefined ? exactly(0) : multiplyRanges(list!.size, items.size);
    if (separator !== undefined) {
      const gaps = { min: Math.max(0, list!.size.min - 1), max: Math.max(0, list!.size.max - 1) };
      size = addRanges(size, multiplyRanges(separator.size, gaps));
    }
    return { cost: scaleRange(size, traversal), resultSize: size };
  },
};

/** An address is compared with a network over the network's prefix; one that is text is parsed first. */
const contains = (isNetwork: boolean): CallCost => ({
  cost: ([network, other]) => {
    const size = sizeOf(network!);
    const parsing = typeof other === 'string' ? Math.ceil(sizeOf(other) * traversal) : 0;
    return Math.ceil(2 * size * traversal) + parsing + (isNetwork ? Math.ceil(size * traversal) + 1 : 0);
  },
  estimate: ([, other]) => {
    const bytes = { min: 4, max: 16 };
    const comparing = scaleRange(addRanges(bytes, bytes), traversal);
    const masking = isNetwork ? addRanges(scaleRange(bytes, traversal), exactly(1)) : exactly(0);
    const parsing = other!.type.kind === 'string' ? scaleRange(other!.size, traversal) : exactly(0);
    return { cost: addRanges(addRanges(comparing, masking), parsing) };
  },
});

const maxFormatName = 64;
/** The longest pattern that a format is checked with. */
const maxFormatPattern = 128;

const validates: CallCost = {
  cost: ([format, text]) => {
    const pattern = format instanceof FormatValue ? format.patternSize : maxFormatPattern;
    return Math.ceil((1 + sizeOf(text!)) * traversal) * Math.ceil(pattern * patternLength);
  },
  estimate: ([, text]) => ({ cost: scaleRange(scaleRange(text!.size, traversal), maxFormatPattern * patternLength) }),
};

const byFunction: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['check', access],
  ...[
    ...['serviceAccount', 'path', 'group', 'resource', 'subresource', 'namespace', 'name'],
    ...['allowed', 'reason', 'error', 'errored', 'format.named'],
    ...['masked', 'prefixLength', 'family', 'isUnspecified', 'isLoopback'],
    ...['isLinkLocalMulticast', 'isLinkLocalUnicast', 'isGlobalUnicast'],
    ...['sign', 'asInteger', 'isInteger', 'asApproximateFloat', 'isGreaterThan', 'isLessThan', 'compareTo'],
    ...['add', 'sub', 'major', 'minor', 'patch'],
    ...['getScheme', 'getHostname', 'getHost', 'getPort', 'getEscapedPath', 'getQuery'],
  ].map((name) => [name, accessor] as const),
  ['fieldSelector', selects],
  ['labelSelector', selects],
  ...['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name) => [name, visitsItems] as const),
  ...['url', 'jsonpatch.escapeKey', 'lowerAscii', 'upperAscii', 'substring', 'trim'].map(
    (name) => [name, keepsSize(1)] as const,
  ),
  ['replace', replaces],
  ['split', splits],
  ['join', joins],
  ['find', findsPattern(true)],
  ['findAll', findsPattern(true)],
  ...['cidr', 'isIP', 'isCIDR', 'ip', 'quantity', 'isQuantity', 'semver', 'isSemver'].map(
    (name) => [name, traverses(1)] as const,
  ),
  ['ip.isCanonical', traverses(2)],
  ['validate', validates],
  ['containsIP', contains(false)],
  ['containsCIDR', contains(true)],
]);

/** The library with Kubernetes' costs in place of its own. */
export function withKubernetesCosts(library: Library): Library {
  if (library.overloads === undefined) return library;
  return { ...library, overloads: library.overloads.map(priced) };
}

function priced(overload: Overload): Overload {
  if (overload.id === 'cidr_ip') return { ...overload, ...accessor };
  if (overload.function === '_==_') {
    // Values of Kubernetes' libraries are compared at once, whatever their size; formats by their names.
    const { cost, estimate } = overload;
    return {
      ...overload,
      cost: (args, result) => (args[0] instanceof OpaqueValue ? 1 : cost?.(args, result)),
      estimate: (operands) => {
        const type = operands[0]!.type;
        if (type.kind !== 'opaque' || type.name === 'optional_type') return estimate?.(operands);
        return {
          cost: { min: 1, max: type.name === 'kubernetes.NamedFormat' ? Math.ceil(maxFormatName * traversal) : 1 },
        };
      },
    };
  }
  const cost = byFunction.get(overload.function);
  return cost === undefined ? overload : { ...overload, ...cost };
}
