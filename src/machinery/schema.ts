/**
 * What a value of the API looks like: the one description that decoding, patches, server-side apply, OpenAPI and
 * protobuf read. Built-in kinds get theirs from generated tables; a CustomResourceDefinition compiles to the same.
 */
export type Schema = ScalarSchema | ObjectSchema | MapSchema | ListSchema;

export type ScalarType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  /** Base64 text in JSON, bytes in protobuf. */
  | 'bytes'
  /** RFC 3339 with seconds (`Time`). */
  | 'time'
  /** RFC 3339 with six digits (`MicroTime`). */
  | 'microTime'
  | 'quantity'
  | 'intOrString'
  /** Any JSON value, kept as it is (RawExtension, FieldsV1, JSON). */
  | 'any';

export interface ScalarSchema {
  readonly type: ScalarType;
  /** For `any`: the protobuf message that carries it (`runtime.RawExtension`, `meta.v1.FieldsV1`, …). */
  readonly message?: string;
  /** The type inside messages that hold one thing or another (`JSONSchemaPropsOrArray`). */
  readonly inner?: ObjectSchema;
}

export interface ObjectSchema {
  readonly type: 'object';
  /** For example `core.v1.Pod`, `meta.v1.ObjectMeta`; a custom kind's nested objects have ''. */
  readonly name: string;
  /** Fields in alphabetical order by their JSON name. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Server-side apply owns the object as a whole (`x-kubernetes-map-type: atomic`). */
  readonly atomic: boolean;
  /** Unknown fields are kept (custom kinds). */
  readonly preserveUnknown: boolean;
}

export interface MapSchema {
  readonly type: 'map';
  readonly values: Schema;
  readonly atomic: boolean;
}

export interface ListSchema {
  readonly type: 'list';
  readonly items: Schema;
  /** Server-side apply: `atomic` unless the type says otherwise. */
  readonly listType: 'atomic' | 'set' | 'map';
  /** JSON field names that identify an item of a `map` list. */
  readonly keys: readonly string[];
}

export interface Field {
  readonly name: string;
  /** Resolved on first use, because types refer to themselves. */
  readonly schema: Schema;
  readonly required: boolean;
  /**
   * What absence and a zero value (`""`, 0, false) mean. `optional`: both have a meaning of their own. `nonZero`: a
   * zero value is absent. `always`: an absent field reads as its zero value, and so it is written. `null`: as `optional`,
   * but absence is written as null.
   */
  readonly presence: 'optional' | 'nonZero' | 'always' | 'null';
  /** What an absent key of a list item counts as (`protocol: TCP` of ports). */
  readonly keyDefault: string | number | bigint | boolean | undefined;
  /** Protobuf field number; 0 where the field has none. */
  readonly number: number;
  /** Protobuf: numbers of the messages around the field that JSON does not show, outermost first. */
  readonly around: readonly number[];
  /** Protobuf: each list of strings is a message of its own with the strings as field 1. */
  readonly wrapped: boolean;
  /** Strategic merge patch (`x-kubernetes-patch-strategy`, `x-kubernetes-patch-merge-key`). */
  readonly patchStrategies: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey: string | undefined;
  /** What messages about a value of the wrong type say, where it does not follow from the schema. */
  readonly go?: GoNames | undefined;
}

export interface GoNames {
  /** Structs between the object and the field that JSON does not show. */
  readonly around: readonly string[];
  /** For example `v1.RestartPolicy`, `[]v1.OperationType`. */
  readonly type: string;
}
