/** The kinds of type that CEL has. `opaque` are types of libraries (`net.IP`), `struct` objects with named fields. */
export type TypeKind =
  | 'dyn'
  | 'any'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'duration'
  | 'timestamp'
  | 'list'
  | 'map'
  | 'opaque'
  | 'struct'
  | 'wrapper'
  | 'type'
  | 'param';

/** A type as the checker sees it. Compare with `sameType`; types are values without identity. */
export interface CelType {
  readonly kind: TypeKind;
  /** As `type(x)` prints it, for example `list` or `google.protobuf.Timestamp`. */
  readonly name: string;
  readonly parameters: readonly CelType[];
}

const make = (kind: TypeKind, name: string = kind, parameters: readonly CelType[] = []): CelType => ({
  kind,
  name,
  parameters,
});

export const dynType = make('dyn');
export const anyType = make('any', 'google.protobuf.Any');
export const errorType = make('error', '!error!');
export const nullType = make('null', 'null_type');
export const boolType = make('bool');
export const intType = make('int');
export const uintType = make('uint');
export const doubleType = make('double');
export const stringType = make('string');
export const bytesType = make('bytes');
export const durationType = make('duration', 'google.protobuf.Duration');
export const timestampType = make('timestamp', 'google.protobuf.Timestamp');

export const listType = (items: CelType): CelType => make('list', 'list', [items]);
export const mapType = (keys: CelType, values: CelType): CelType => make('map', 'map', [keys, values]);
/** A type of a library, for example `opaqueType('kubernetes.URL')`. */
export const opaqueType = (name: string, ...parameters: CelType[]): CelType => make('opaque', name, parameters);
export const optionalType = (value: CelType): CelType => opaqueType('optional_type', value);
/** An object with fields, which a `TypeProvider` of the environment describes. */
export const structType = (name: string): CelType => make('struct', name);
/** A primitive type or null (`google.protobuf.Int64Value`). */
export const wrapperType = (of: CelType): CelType => make('wrapper', of.name, [of]);
/** The type of a type; without a parameter, of any type. */
export const typeType = (of?: CelType): CelType => make('type', 'type', of === undefined ? [] : [of]);
/** A type variable of a function's signature. */
export const typeParameter = (name: string): CelType => make('param', name);

export const isOptional = ({ kind, name }: CelType): boolean => kind === 'opaque' && name === 'optional_type';
export const isDynamic = ({ kind }: CelType): boolean => kind === 'dyn' || kind === 'any' || kind === 'error';

/** Whether both are the same type, parameters included. */
export function sameType(a: CelType, b: CelType): boolean {
  return (
    a === b ||
    (a.kind === b.kind &&
      a.name === b.name &&
      a.parameters.length === b.parameters.length &&
      a.parameters.every((parameter, index) => sameType(parameter, b.parameters[index]!)))
  );
}

/** A type by its names: `list(google.protobuf.Timestamp)`, `wrapper(string)`. */
export function typeName(type: CelType): string {
  if (type.kind === 'wrapper') return `wrapper(${type.name})`;
  return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(typeName).join(', ')})`;
}

/** A type as messages of the checker print it: `list(int)`, `timestamp`, `wrapper(string)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'any':
    case 'duration':
    case 'timestamp':
    case 'null':
      return type.kind;
    case 'wrapper':
      return `wrapper(${type.name})`;
    default:
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(formatType).join(', ')})`;
  }
}
