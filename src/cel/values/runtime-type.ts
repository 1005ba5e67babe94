import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  optionalType,
  stringType,
  timestampType,
  typeType,
  uintType,
} from '../types/types.ts';
import { Duration, Timestamp } from './time.ts';
import {
  Double,
  ListValue,
  MapValue,
  OpaqueValue,
  OptionalValue,
  StructValue,
  TypeValue,
  Uint,
  type Value,
} from './value.ts';

const anyList = listType(dynType);
const anyMap = mapType(dynType, dynType);
const anyOptional = optionalType(dynType);
const anyTypeType = typeType();

/** The type that a value has when it is looked at; what lists and maps hold is not looked at. */
export function runtimeType(value: Value): CelType {
  switch (typeof value) {
    case 'string':
      return stringType;
    case 'boolean':
      return boolType;
    case 'number':
    case 'bigint':
      return intType;
  }
  if (value === null) return nullType;
  if (value instanceof ListValue) return anyList;
  if (value instanceof MapValue) return anyMap;
  if (value instanceof StructValue || value instanceof OpaqueValue) return value.type;
  if (value instanceof Double) return doubleType;
  if (value instanceof Uint) return uintType;
  if (value instanceof Timestamp) return timestampType;
  if (value instanceof Duration) return durationType;
  if (value instanceof OptionalValue) return anyOptional;
  return value instanceof TypeValue ? anyTypeType : bytesType;
}

/** Whether a function's parameter takes a value. */
export function accepts({ kind, name, parameters }: CelType, value: Value): boolean {
  if (kind === 'dyn' || kind === 'any' || kind === 'param') return true;
  if (kind === 'wrapper') return value === null || accepts(parameters[0]!, value);
  const own = runtimeType(value);
  return own.kind === kind && own.name === name;
}
