import { resourceRows } from '#kinds/resources.ts';
import { equalValues } from '#machinery/equality.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { createMergePatch } from '#machinery/patch/merge-patch.ts';
import { createStrategicPatch } from '#machinery/patch/strategic-diff.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { CommandContext } from '../context.ts';
import { type ResourceInfo, resourcePath } from '../discovery/mapper.ts';
import { type DryRun, dryRunQuery } from './dry-run.ts';
import { type Target, targetPath } from './targets.ts';

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchType = keyof typeof patchTypes;

/** The schema of a built-in kind; undefined for custom resources, which know no strategic patches. */
export function schemaOf({ group, version, resource }: ResourceInfo): ObjectSchema | undefined {
  return resourceRows.find((row) => row.group === group && row.version === version && row.resource === resource)
    ?.schema;
}

export interface PatchRequest {
  readonly type: PatchType;
  readonly body: object;
  readonly dryRun?: DryRun;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: string | undefined;
  readonly subresource?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Sends a patch; resolves with the object as it is now. Throws ApiError. */
export function patchTarget(context: CommandContext, target: Target, patch: PatchRequest): Promise<JsonObject> {
  const { type, body, dryRun = 'none', fieldManager, fieldValidation, subresource, force } = patch;
  return context.request({
    method: 'PATCH',
    path: targetPath(target, subresource),
    query: { dryRun: dryRunQuery(dryRun), fieldManager, fieldValidation, force },
    body,
    contentType: patchTypes[type],
  });
}

/** The patch between two states: strategic where the kind is known. Undefined when they are equal. */
export function patchBetween(
  info: ResourceInfo,
  before: JsonObject,
  after: JsonObject,
): { readonly type: PatchType; readonly body: JsonObject } | undefined {
  if (equalValues(before, after)) return undefined;
  const schema = schemaOf(info);
  if (schema === undefined) return { type: 'merge', body: createMergePatch(before, after) };
  return { type: 'strategic', body: createStrategicPatch(before, after, schema) };
}

/** Creates the object with POST. Throws ApiError. */
export function createObject(
  context: CommandContext,
  { info, namespace, object }: Pick<Target, 'info' | 'namespace'> & { readonly object: JsonObject },
  { dryRun = 'none', fieldManager, fieldValidation }: Pick<PatchRequest, 'dryRun' | 'fieldManager' | 'fieldValidation'>,
): Promise<JsonObject> {
  return context.request({
    method: 'POST',
    path: resourcePath(info, { namespace }),
    query: { dryRun: dryRunQuery(dryRun), fieldManager, fieldValidation },
    body: object,
  });
}
