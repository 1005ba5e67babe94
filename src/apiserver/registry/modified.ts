import { type ApiError, conflict } from '#machinery/errors.ts';
import type { Operation } from './operation.ts';

/** Another writer came first, and the client has to decide anew. */
export function modified({ resource, name }: Operation): ApiError {
  return conflict(
    resource.kind,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}
