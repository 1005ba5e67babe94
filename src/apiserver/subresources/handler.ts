import type { ApiObject, GroupVersionKind, Mutable } from '#machinery/meta.ts';
import type { Operation, Result } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';

type Handle = (registry: Registry, operation: Operation) => Result | Promise<Result>;

/** A subresource that is more than a part of its object. */
export interface SubresourceHandler {
  readonly get?: Handle;
  readonly create?: Handle;
  readonly update?: Handle;
  readonly patch?: Handle;
}

/** Lets admission judge a creation whose object is not stored, such as a binding. @throws ApiError of a refusal. */
export function checkAdmission(registry: Registry, request: Operation, objectKind: GroupVersionKind): Promise<void> {
  const object = request.body as Mutable<ApiObject>;
  return registry.admission.check(registry, { operation: 'CREATE', request, object, oldObject: undefined, objectKind });
}
