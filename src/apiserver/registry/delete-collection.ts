import { isReason } from '#machinery/errors.ts';
import type { StoredObject } from '../cache/stored-object.ts';
import { deleteObject } from './delete.ts';
import type { Operation, Result } from './operation.ts';
import { listObjects } from './read.ts';
import type { Registry } from './registry.ts';

/** Deletions on their way at a time. */
const concurrency = 16;

/** DELETE of everything that a list would show, each by its own rules; answers with what it found. */
export async function deleteCollection(registry: Registry, operation: Operation): Promise<Result> {
  const found = await listObjects(registry, operation);
  if (found.type !== 'list') return found;
  const rest = [...found.items];
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await deleteOne(registry, operation, item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return found;
}

async function deleteOne(registry: Registry, operation: Operation, { object }: StoredObject): Promise<void> {
  operation.signal.throwIfAborted();
  const { name = '', namespace = '' } = object.metadata;
  try {
    await deleteObject(registry, { ...operation, name, namespace });
  } catch (error) {
    // Somebody else was faster: it is gone, which is what was asked for.
    if (!isReason(error, 'NotFound')) throw error;
  }
}
