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
