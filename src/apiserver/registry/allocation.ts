import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Operation, Result } from './operation.ts';
import { hookOf, type Registry } from './registry.ts';

/** Runs a write with what the resource's hook takes for it, which is given back where the write is refused. */
export function withAllocation<T extends Result | 'lost'>(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  old: ApiObject | undefined,
  write: () => Promise<T>,
): Promise<T> {
  const allocate = hookOf(registry, operation.resource)?.allocate;
  const hasNone = allocate === undefined || operation.subresource !== '';
  return hasNone ? write() : allocateAndWrite(registry, operation, object, old, write);
}

async function allocateAndWrite<T extends Result | 'lost'>(
  registry: Registry,
  { resource, options }: Operation,
  object: Mutable<ApiObject>,
  old: ApiObject | undefined,
  write: () => Promise<T>,
): Promise<T> {
  const allocation = await hookOf(registry, resource)!.allocate!(registry, object, old, options.dryRun === true);
  try {
    const written = await write();
    await (written === 'lost' ? allocation?.undo() : allocation?.done?.());
    return written;
  } catch (error) {
    await allocation?.undo();
    throw error;
  }
}
