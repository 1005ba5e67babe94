import type { JSONSchemaProps, ValidationRule } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Json } from '#machinery/meta.ts';

/**
 * One place in a structural schema (KEP-1178): what pruning, defaulting, server-side apply and validation rules need of
 * it, worked out once when its definition is accepted.
 */
export interface StructuralNode {
  /** The declaration itself, for value validation. */
  readonly props: JSONSchemaProps;
  /** `object`, `array`, `string`, …; '' for int-or-string and for places of no type. */
  readonly type: string;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  /** An object of some kind: its `apiVersion`, `kind` and `metadata` are as in every object. */
  readonly embedded: boolean;
  readonly preserveUnknown: boolean;
  readonly default: Json | undefined;
  readonly properties: ReadonlyMap<string, StructuralNode>;
  /** What keys of any name hold: a schema, or `untyped` for `true` and `false`. */
  readonly additional: StructuralNode | 'untyped' | undefined;
  readonly items: StructuralNode | undefined;
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listKeys: readonly string[];
  /** Server-side apply owns the object as a whole. */
  readonly atomic: boolean;
  /** `x-kubernetes-validations` of this place. */
  readonly rules: readonly ValidationRule[];
  /** Whether this place or any below has such a thing: walks that look for it stop where it is not. */
  readonly within: {
    readonly defaults: boolean;
    readonly rules: boolean;
    readonly lists: boolean;
    readonly embedded: boolean;
  };
}

/** How deep a schema may nest; deeper ones are cut where they are read. */
const maximumDepth = 200;

/** The structural part of a schema; `isRoot` for that of a whole object. */
export function structuralNode(props: JSONSchemaProps, depth = 0): StructuralNode {
  const properties = new Map<string, StructuralNode>();
  const isTooDeep = depth >= maximumDepth;
  if (!isTooDeep) {
    for (const [name, inner] of Object.entries(props.properties ?? {}))
      properties.set(name, structuralNode(inner, depth + 1));
  }
  const items = isSchema(props.items) && !isTooDeep ? structuralNode(props.items, depth + 1) : undefined;
  const additional = additionalNode(props.additionalProperties, depth);
  const listType = props['x-kubernetes-list-type'];
  const children = [
    ...properties.values(),
    ...(items ? [items] : []),
    ...(typeof additional === 'object' ? [additional] : []),
  ];
  const has = (part: keyof StructuralNode['within']): boolean => children.some(({ within }) => within[part]);
  const rules = props['x-kubernetes-validations'] ?? [];
  const isList = listType === 'set' || listType === 'map';
  const embedded = props['x-kubernetes-embedded-resource'] === true;
  return {
    props,
    type: props.type ?? '',
    nullable: props.nullable === true,
    intOrString: props['x-kubernetes-int-or-string'] === true,
    embedded,
    preserveUnknown: props['x-kubernetes-preserve-unknown-fields'] === true,
    default: props.default,
    properties,
    additional,
    items,
    listType: isList ? listType : 'atomic',
    listKeys: props['x-kubernetes-list-map-keys'] ?? [],
    atomic: props['x-kubernetes-map-type'] === 'atomic',
    rules,
    within: {
      defaults: props.default !== undefined || has('defaults'),
      rules: rules.length > 0 || has('rules'),
      lists: isList || has('lists'),
      embedded: embedded || has('embedded'),
    },
  };
}

function additionalNode(declared: unknown, depth: number): StructuralNode['additional'] {
  if (typeof declared === 'boolean') return 'untyped';
  return isSchema(declared) && depth < maximumDepth ? structuralNode(declared, depth + 1) : undefined;
}

/** `items` and `additionalProperties` may be schemas, lists of them, or booleans. */
export function isSchema(value: unknown): value is JSONSchemaProps {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
