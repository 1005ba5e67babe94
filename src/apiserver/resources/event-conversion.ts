import type { ApiObject } from '#machinery/meta.ts';

type Fields = Record<string, unknown>;

/** Fields of a core event and what they are called in `events.k8s.io/v1` (KEP-383); the others are named alike. */
const renamed: readonly (readonly [core: string, event: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

export function eventFromCore(object: ApiObject): ApiObject {
  return rename(object, renamed);
}

export function eventToCore(object: ApiObject): ApiObject {
  return rename(
    object,
    renamed.map(([core, event]) => [event, core] as const),
  );
}

function rename(object: ApiObject, names: readonly (readonly [from: string, to: string])[]): ApiObject {
  const result: Fields = { ...object };
  for (const [from, to] of names) {
    if (!Object.hasOwn(result, from)) continue;
    result[to] = result[from];
    delete result[from];
  }
  return result as unknown as ApiObject;
}
