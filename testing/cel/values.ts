import type { IncrementalTest } from '@bufbuild/cel-spec/testdata/tests.js';
import type { DescMessage } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import {
  ArrayList,
  type CelType,
  Double,
  dynType,
  HashMap,
  ListValue,
  listType,
  MapValue,
  mapType,
  opaqueType,
  StructValue,
  TypeValue,
  Uint,
  type Value,
} from '#cel/index.ts';
import { equal } from '#cel/values/equality.ts';
import { toInteger } from '#cel/values/integer.ts';
import { runtimeType } from '#cel/values/runtime-type.ts';
import type { MessageProvider } from './messages.ts';

type ProtoValue = Extract<IncrementalTest['original']['resultMatcher'], { case: 'value' }>['value'];

/** A value of the test data. */
export function protoValue({ kind }: ProtoValue, messages: MessageProvider): Value {
  const inner = (own: ProtoValue): Value => protoValue(own, messages);
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    case 'int64Value':
      return toInteger(kind.value);
    case 'uint64Value':
      return new Uint(kind.value);
    case 'doubleValue':
      return new Double(kind.value);
    case 'enumValue':
      return kind.value.value;
    case 'listValue':
      return new ArrayList(kind.value.values.map(inner));
    case 'mapValue':
      return new HashMap(kind.value.entries.map(({ key, value }) => [inner(key!), inner(value!)]));
    case 'objectValue':
      return messages.valueOf(reflect(anySchema(messages), kind.value));
    case 'typeValue':
      return new TypeValue(named(kind.value));
    default:
      throw new Error(`no values of kind ${kind.case}`);
  }
}

const anySchema = ({ registry }: MessageProvider): DescMessage => registry.getMessage('google.protobuf.Any')!;

const named = (name: string): CelType =>
  name === 'list' ? listType(dynType) : name === 'map' ? mapType(dynType, dynType) : opaqueType(name);

/** Same value and same type: 1 and 1.0 are equal, but not the same. NaN is the same as itself. */
export function sameValue(a: Value, b: Value): boolean {
  if (runtimeType(a).name !== runtimeType(b).name) return false;
  if (a instanceof Double && b instanceof Double) return Object.is(a.value, b.value) || a.value === b.value;
  if (a instanceof ListValue && b instanceof ListValue) {
    return a.size === b.size && [...a].every((item, index) => sameValue(item, b.at(index)));
  }
  if (a instanceof MapValue && b instanceof MapValue) {
    return (
      a.size === b.size && [...a.keys()].every((key) => b.get(key) !== undefined && sameValue(a.get(key)!, b.get(key)!))
    );
  }
  if (a instanceof StructValue || b instanceof StructValue) return equal(a, b);
  return equal(a, b);
}
