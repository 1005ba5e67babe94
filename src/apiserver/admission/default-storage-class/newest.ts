import type { ApiObject } from '#machinery/meta.ts';

/** The newest of the objects that an annotation marks as the default; of several as new, the first by name. */
export function newestDefault(objects: Iterable<ApiObject>, marks: readonly string[]): string | undefined {
  let best: ApiObject | undefined;
  for (const candidate of objects) {
    if (!marks.some((mark) => candidate.metadata.annotations?.[mark] === 'true')) continue;
    if (best === undefined || isBefore(candidate, best)) best = candidate;
  }
  return best?.metadata.name;
}

function isBefore({ metadata: left }: ApiObject, { metadata: right }: ApiObject): boolean {
  const leftCreated = left.creationTimestamp ?? '';
  const rightCreated = right.creationTimestamp ?? '';
  return leftCreated === rightCreated ? (left.name ?? '') < (right.name ?? '') : leftCreated > rightCreated;
}
