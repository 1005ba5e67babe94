import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import type { ConformResult } from '#machinery/conform.ts';
import type { ApiObject, Json, JsonObject } from '#machinery/meta.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { StoredObject } from '../cache/stored-object.ts';

/** What a kind that was defined at run time does in another way than built-in ones, whose types are known in full. */
export interface CustomForm {
  /** What decoding makes of a value: unknown fields and forbidden nulls gone, metadata canonical. @throws DecodeError */
  conform(value: Json): ConformResult;
  /** The same for what apply has merged, where nulls stay: upstream does not decode it once more. */
  conformApplied(value: Json): ConformResult;
  /** A stored object in this version. Those that a webhook converts must have been made `ready` before. */
  served(value: StoredObject): StoredObject;
  /** A webhook converts between versions. */
  readonly convertsLate: boolean;
  /** Whether the object is kept in another version than it would be now. */
  isStale(value: StoredObject): boolean;
  /** Whether `served` can answer. */
  isReady(value: StoredObject): boolean;
  /** Undefined when `served` can answer for all of them at once. @throws ApiError when the webhook fails. */
  ready(values: Iterable<StoredObject>): Promise<void> | undefined;
  /** An object of this version in the version that is kept. */
  toStorage(object: ApiObject): ApiObject | Promise<ApiObject>;
  /** A version of the definition, served or not; undefined for one that it does not have. */
  version(apiVersion: string): CustomVersion | undefined;
  /** An object of any version in another one, as the converter gives it. @throws Error when that cannot be done */
  inVersion(object: JsonObject, apiVersion: string): JsonObject | Promise<JsonObject>;
  readonly scale: ScalePaths | undefined;
  /** Its definition is being deleted: nothing new is made. */
  readonly isTerminating: boolean;
  /** What OpenAPI publishes. */
  readonly published: {
    readonly name: string;
    readonly plural: string;
    readonly listKind: string;
    readonly props: JSONSchemaProps | undefined;
    /** `spec.color`. */
    readonly selectable: readonly string[];
  };
}

/** What ownership of fields has to know of a version. */
export interface CustomVersion {
  readonly schema: ObjectSchema;
  readonly hasStatus: boolean;
  /** Paths that a write of the status leaves alone. */
  readonly statusResets: readonly (readonly string[])[];
}

/** Where a custom kind keeps what `scale` shows: field names from the root. */
export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly labelSelector: readonly string[] | undefined;
}
