import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Operation } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** A write on its way in. Mutating plugins may change `object`; nobody may change `oldObject`. */
export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly request: Operation;
  readonly object: Mutable<ApiObject> | undefined;
  readonly oldObject: ApiObject | undefined;
}

/** An admission plugin: refuses by throwing ApiError. */
export interface AdmissionPlugin {
  /** Upstream's name, for example `NamespaceLifecycle`. */
  readonly name: string;
  readonly operations: readonly AdmissionOperation[];
  /** `group/resource` this is about; absent: all. */
  readonly resources?: readonly string[];
  readonly mutate?: (attributes: AdmissionAttributes, registry: Registry) => void | Promise<void>;
  readonly validate?: (attributes: AdmissionAttributes, registry: Registry) => void | Promise<void>;
}

/** The part of the object that admission reads with its kind's type; the resource list guarantees the kind. */
export function objectAs<T extends ApiObject>({ object }: AdmissionAttributes): Mutable<T> {
  return object as Mutable<T>;
}
