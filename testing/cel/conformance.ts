import { getTestRegistry } from '@bufbuild/cel-spec/testdata/registry.js';
import { getConformanceSuite, type IncrementalTest } from '@bufbuild/cel-spec/testdata/tests.js';
import {
  boolType,
  bytesType,
  CelEnvironment,
  type CelType,
  compile,
  doubleType,
  durationType,
  dynType,
  fail,
  formatType,
  intType,
  type Library,
  listType,
  mapType,
  nullType,
  opaqueType,
  stringType,
  structType,
  timestampType,
  typeParameter,
  typeType,
  uintType,
  type Value,
  wrapperType,
} from '#cel/index.ts';
import { bindingsLibrary } from '#cel/library/bindings.ts';
import { twoVariableComprehensions } from '#cel/library/comprehensions.ts';
import { listsLibrary } from '#cel/library/lists.ts';
import { optionalsLibrary } from '#cel/library/optionals.ts';
import { setsLibrary } from '#cel/library/sets.ts';
import { standardLibrary } from '#cel/library/standard/index.ts';
import { stringsLibrary, stringsReverse } from '#cel/library/strings.ts';
import { encodersLibrary } from './libraries/encoders.ts';
import { mathLibrary } from './libraries/math.ts';
import { specificationLibrary } from './libraries/specification.ts';
import { MessageProvider } from './messages.ts';
import { protoValue, sameValue } from './values.ts';

/** One case of the specification's test data. */
export interface ConformanceCase {
  readonly suite: string;
  readonly name: string;
  readonly test: IncrementalTest['original'];
}

export function cases(): readonly ConformanceCase[] {
  return getConformanceSuite().suites.flatMap((file) =>
    file.suites.flatMap((section) =>
      section.tests.map(({ name, original }) => ({
        suite: file.name,
        name: `${section.name}/${original.name === '' ? name : original.name}`,
        test: original,
      })),
    ),
  );
}

/** Cases that cannot pass, by suite and the beginning of the name, and why. */
const differences: readonly (readonly [string, string, string])[] = [
  ['enums', 'strong_proto', 'members of enums are ints, as in cel-go'],
  ['timestamps', 'duration_converters/get_milliseconds', 'getMilliseconds counts the whole duration, as in cel-go'],
  ['string_ext', 'value_errors/indexof_out_of_range', 'an offset behind the end finds nothing, as in cel-go'],
  ['string_ext', 'value_errors/lastindexof_out_of_range', 'an offset behind the end finds nothing, as in cel-go'],
];

/** Why a case cannot pass; undefined: it can. */
export function unsupported({ suite, name }: ConformanceCase): string | undefined {
  return differences.find(([own, start]) => suite === own && name.startsWith(start))?.[2];
}

const messages = new MessageProvider(getTestRegistry());

const environment = new CelEnvironment({
  types: [messages],
  quotedFields: true,
  libraries: [
    standardLibrary,
    optionalsLibrary,
    bindingsLibrary,
    twoVariableComprehensions,
    stringsLibrary,
    stringsReverse,
    setsLibrary,
    listsLibrary,
    encodersLibrary,
    mathLibrary,
    specificationLibrary,
  ],
});

/** `passed`, or what was different. */
export function outcomeOf({ test }: ConformanceCase): string {
  try {
    return run(test);
  } catch (error) {
    return `threw ${String(error)}`;
  }
}

function run(test: ConformanceCase['test']): string {
  const variables: Record<string, CelType> = {};
  for (const { name, declKind } of test.typeEnv) {
    if (declKind.case === 'ident') variables[name] = typeOf(declKind.value.type);
  }
  const own = environment.extend({ container: test.container, variables, libraries: [declared(test)] });
  const compilation = compile(test.expr, own, { lenient: test.disableCheck });
  const expected = test.resultMatcher;
  if (compilation.program === undefined) return expected.case === 'evalError' ? 'passed' : compilation.message;
  const { program } = compilation;
  if (test.checkOnly || expected.case === 'typedResult') {
    const wanted = expected.case === 'typedResult' ? expected.value.deducedType : undefined;
    const type = formatType(program.type);
    if (wanted !== undefined && formatType(typeOf(wanted)) !== type) return `has type ${type}`;
    if (test.checkOnly || (expected.case === 'typedResult' && expected.value.result === undefined)) return 'passed';
  }
  const bindings: Record<string, Value> = {};
  for (const [name, { kind }] of Object.entries(test.bindings)) {
    if (kind.case === 'value') bindings[name] = protoValue(kind.value, messages);
  }
  const evaluation = program.evaluate(bindings);
  if ('error' in evaluation) return expected.case === 'evalError' ? 'passed' : `failed: ${evaluation.error}`;
  if (expected.case === 'evalError') return `gave a value`;
  const wanted =
    expected.case === 'value'
      ? protoValue(expected.value, messages)
      : expected.case === 'typedResult'
        ? protoValue(expected.value.result!, messages)
        : true;
  return sameValue(evaluation.value, wanted) ? 'passed' : 'gave another value';
}

/** Functions that a case declares; none of them is called. */
function declared(test: ConformanceCase['test']): Library {
  const overloads = test.typeEnv.flatMap(({ name, declKind }) =>
    declKind.case !== 'function'
      ? []
      : declKind.value.overloads.map(({ overloadId, params, resultType, isInstanceFunction }) => ({
          function: name,
          id: overloadId,
          parameters: params.map(typeOf),
          result: typeOf(resultType),
          member: isInstanceFunction,
          evaluate: () => fail('no such overload'),
        })),
  );
  return { name: 'declared', overloads };
}

type ProtoType = NonNullable<
  Extract<ConformanceCase['test']['typeEnv'][number]['declKind'], { case: 'ident' }>['value']['type']
>;

const primitives: readonly CelType[] = [dynType, boolType, intType, uintType, doubleType, stringType, bytesType];
const wellKnown: readonly CelType[] = [
  dynType,
  { ...dynType, kind: 'any', name: 'google.protobuf.Any' },
  timestampType,
  durationType,
];

function typeOf(type: ProtoType | undefined): CelType {
  const kind = type?.typeKind;
  switch (kind?.case) {
    case 'null':
      return nullType;
    case 'primitive':
      return primitives[kind.value]!;
    case 'wrapper':
      return wrapperType(primitives[kind.value]!);
    case 'wellKnown':
      return wellKnown[kind.value]!;
    case 'listType':
      return listType(typeOf(kind.value.elemType));
    case 'mapType':
      return mapType(typeOf(kind.value.keyType), typeOf(kind.value.valueType));
    case 'messageType':
      return messages.findType(kind.value) ?? structType(kind.value);
    case 'typeParam':
      return typeParameter(kind.value);
    case 'type':
      return kind.value.typeKind.case === undefined ? typeType() : typeType(typeOf(kind.value));
    case 'abstractType':
      return opaqueType(kind.value.name, ...kind.value.parameterTypes.map(typeOf));
    default:
      return dynType;
  }
}
