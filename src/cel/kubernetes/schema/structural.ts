import { type DeclaredField, type DeclaredType, declared } from './declared-type.ts';
import { escapeProperty } from './escaping.ts';

/** What a structural schema (KEP-1178) says of one place, as far as types in expressions depend on it. */
export interface StructuralSchema {
  readonly type: string;
  readonly intOrString: boolean;
  readonly embedded: boolean;
  readonly properties: ReadonlyMap<string, StructuralSchema>;
  readonly additional: StructuralSchema | 'untyped' | undefined;
  readonly items: StructuralSchema | undefined;
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listKeys: readonly string[];
  readonly default: unknown;
  readonly props: {
    readonly format?: string;
    readonly maxItems?: number;
    readonly maxLength?: number;
    readonly maxProperties?: number;
    readonly enum?: readonly unknown[];
    readonly required?: readonly string[];
  };
}

/**
 * The type that expressions see. Undefined: they cannot see the value (arrays without items, places of no type).
 * @param isRoot whether this is a whole object, whose kind and name are always visible.
 */
export function declaredTypeOf(schema: StructuralSchema, isRoot: boolean): DeclaredType | undefined {
  const { props } = schema;
  if (schema.intOrString) {
    return declared.intOrString(props.maxLength === undefined ? undefined : lengthOf(props.maxLength));
  }
  switch (schema.type) {
    case 'array': {
      if (isRoot) return undefined;
      const { items, listType, listKeys } = schema;
      const element = items === undefined ? undefined : declaredTypeOf(items, items.embedded);
      return element === undefined
        ? undefined
        : declared.list(element, atLeastZero(props.maxItems), { listType, listKeys });
    }
    case 'object':
      return objectType(schema, isRoot);
    case 'string':
      return textType(schema);
    case 'boolean':
      return declared.boolean;
    case 'number':
      return declared.number;
    case 'integer':
      return declared.integer;
    default:
      return undefined;
  }
}

const atLeastZero = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.max(0, value);

/** A length counts code points, of up to four bytes each; costs are reckoned in bytes. */
const lengthOf = (maxLength: number): number => Math.max(0, maxLength) * 4;

function textType({ props }: StructuralSchema): DeclaredType {
  switch (props.format) {
    case 'byte':
      return declared.bytes(atLeastZero(props.maxLength));
    case 'duration':
      return declared.duration;
    case 'date':
      return declared.date;
    case 'date-time':
      return declared.dateTime;
  }
  if (props.maxLength !== undefined) return declared.string(lengthOf(props.maxLength));
  const { enum: values = [] } = props;
  if (values.length === 0) return declared.string();
  return declared.string(Math.max(0, ...values.map((value) => (typeof value === 'string' ? value.length : 0))));
}

function objectType(schema: StructuralSchema, isRoot: boolean): DeclaredType | undefined {
  const { additional, properties, props } = schema;
  if (!isRoot && typeof additional === 'object') {
    const element = declaredTypeOf(additional, additional.embedded);
    return element === undefined ? undefined : declared.map(element, atLeastZero(props.maxProperties));
  }
  const fields = new Map<string, DeclaredField>();
  const needed = new Set<string>();
  for (const [property, inner] of properties) {
    const type = declaredTypeOf(inner, inner.embedded);
    const name = escapeProperty(property);
    if (type === undefined || name === undefined) continue;
    fields.set(name, { property, declared: type });
    if (props.required?.includes(property) === true && inner.default === undefined) needed.add(property);
  }
  if (isRoot) for (const [name, type] of objectFields) fields.set(name, { property: name, declared: type });
  return declared.object(fields, needed);
}

/** What every object has that expressions may see, whatever its schema says. */
const objectFields: readonly (readonly [string, DeclaredType])[] = [
  ['kind', declared.string()],
  ['apiVersion', declared.string()],
  [
    'metadata',
    declared.object(
      new Map([
        ['name', { property: 'name', declared: declared.string() }],
        ['generateName', { property: 'generateName', declared: declared.string() }],
      ]),
    ),
  ],
];
