import type { JsonObject } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { fieldsOf } from './field-set.ts';
import { differenceFields, type FieldTree, intersectFields, isEmptyTree, noFields, unionFields } from './field-tree.ts';
import type { Manager } from './managers.ts';
import { removeFields } from './merge.ts';
import { withNamedParents } from './named-parents.ts';
import { type Awaitable, areOfOneVersion, converted, type Version, type Versions } from './versions.ts';

export interface Pruning {
  /** The live object with what the configuration says. */
  readonly merged: JsonObject;
  /** What the applier owned before. */
  readonly previous: Manager | undefined;
  /** Everybody who owns something now, the applier among them. */
  readonly owners: readonly Manager[];
  readonly apiVersion: string;
  readonly schema: ObjectSchema;
  readonly versions: Versions | undefined;
}

/**
 * Takes out what a manager applied before, does not apply now, and nobody else owns. A name that is said keeps the
 * metadata, though nobody owns a name.
 */
export function prune(pruning: Pruning): Awaitable<JsonObject> {
  const { merged, previous, owners, apiVersion, schema } = pruning;
  if (previous === undefined || isEmptyTree(previous.fields)) return merged;
  if (previous.apiVersion !== apiVersion || !areOfOneVersion(owners, apiVersion))
    return pruneAcrossVersions(pruning, previous);
  const owned = owners.reduce((all, { fields }) => unionFields(all, fields), noFields);
  const gone = differenceFields(withNamedParents(previous.fields), withNamedParents(owned));
  return isEmptyTree(gone) ? merged : removeFields(merged, gone, schema);
}

/**
 * The same where versions differ. In the version of the last configuration all that it had is taken out. Then each
 * version adds back what somebody owns there, and last of all whatever the last configuration never had.
 */
async function pruneAcrossVersions(pruning: Pruning, previous: Manager): Promise<JsonObject> {
  const { merged, apiVersion, versions } = pruning;
  const version = versionOf(pruning, previous.apiVersion);
  if (version === undefined) return merged;
  const convert = (object: JsonObject, to: string, what: string): Promise<JsonObject> =>
    converted(versions!, object, to, `failed to prune fields: ${what}`);
  const whole = await convert(merged, previous.apiVersion, 'failed to convert merged object to last applied version: ');
  const last = withNamedParents(previous.fields);
  let kept = removeFields(whole, last, version.schema);
  const what = 'failed add back owned items: failed to convert object at version: ';
  for (const [at, owned] of ownedByVersion(pruning.owners, previous.apiVersion)) {
    const schema = versionOf(pruning, at)?.schema;
    if (schema === undefined) continue;
    const all = await convert(whole, at, what);
    const remaining = unionFields(pathsIn(await convert(kept, at, what), schema), withNamedParents(owned));
    kept = removeFields(all, differenceFields(pathsIn(all, schema), remaining), schema);
  }
  const remaining = pathsIn(await convert(kept, previous.apiVersion, ''), version.schema);
  const gone = intersectFields(differenceFields(pathsIn(whole, version.schema), remaining), last);
  return convert(removeFields(whole, gone, version.schema), apiVersion, '');
}

function versionOf({ schema, apiVersion, versions }: Pruning, wanted: string): Version | undefined {
  return wanted === apiVersion ? { schema, resetFields: [] } : versions?.of(wanted);
}

function pathsIn(object: JsonObject, schema: ObjectSchema): FieldTree {
  return withNamedParents(fieldsOf(object, schema));
}

/** What is owned in each version, beginning with `first`. */
function ownedByVersion(owners: readonly Manager[], first: string): ReadonlyMap<string, FieldTree> {
  const owned = new Map<string, FieldTree>();
  if (owners.some(({ apiVersion }) => apiVersion === first)) owned.set(first, noFields);
  for (const { apiVersion, fields } of owners)
    owned.set(apiVersion, unionFields(owned.get(apiVersion) ?? noFields, fields));
  return owned;
}
