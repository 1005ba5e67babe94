import { conform } from '../conform.ts';
import { parseJson } from '../json.ts';
import type { JsonObject } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { compareObjects } from './compare.ts';
import { fieldsOf } from './field-set.ts';
import { differenceFields, type FieldTree, noFields } from './field-tree.ts';

/** Where `kubectl apply` keeps the manifest that it last applied from the client's side. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The fields that still have the value of the last manifest: `kubectl` may take them over without force. */
export function allowedByLastApplied(live: JsonObject, annotation: string, schema: ObjectSchema): FieldTree {
  let applied: JsonObject;
  try {
    applied = conform(parseJson(new TextEncoder().encode(annotation)), schema, { partial: true }).value as JsonObject;
  } catch {
    return noFields;
  }
  // Nobody knows whose fields those of no kind are.
  if ((applied['kind'] ?? '') === '' || (applied['apiVersion'] ?? '') === '') return noFields;
  const { changed, removed } = compareObjects(live, applied, schema);
  return differenceFields(differenceFields(fieldsOf(applied, schema), changed), removed);
}
