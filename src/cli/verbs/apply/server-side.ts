import { ApiError } from '#machinery/errors.ts';
import type { Json, JsonObject, ManagedFieldsEntry } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { whileDoing } from '../../manifests/failures.ts';
import { lastAppliedAnnotation, lastAppliedText, withLastApplied } from '../../manifests/last-applied.ts';
import { goJson, metadataOf, withMetadata } from '../../manifests/objects.ts';
import { patchTarget } from '../../manifests/patches.ts';
import type { LoadedTarget } from '../../manifests/targets.ts';
import type { Applied, ApplyOptions } from './apply.ts';

/** The manager of objects that were applied by the client before. */
const clientSideManager = 'kubectl-client-side-apply';
const lastAppliedManager = 'kubectl-last-applied';

/** Sends the manifest and lets the server merge (KEP-555). */
export async function applyOnServer(
  context: CommandContext,
  target: LoadedTarget,
  options: ApplyOptions,
): Promise<Applied> {
  const { flags, dryRun, fieldManager, fieldValidation } = options;
  const subresource = flags.subresource === '' ? undefined : flags.subresource;
  const send = async (): Promise<JsonObject> => {
    try {
      const request = {
        type: 'apply',
        body: target.object,
        dryRun,
        fieldManager,
        fieldValidation,
        subresource,
      } as const;
      return await patchTarget(context, target, { ...request, force: flags['force-conflicts'] || undefined });
    } catch (error) {
      throw isConflict(error) ? conflictError(error) : whileDoing('patching', target.source, error);
    }
  };
  let object = await send();
  if (metadataOf(object).deletionTimestamp !== undefined) {
    context.err(`Warning: Detected changes to resource ${target.name} which is currently being deleted.\n`);
  }
  if (dryRun === 'none') {
    if (await takeOver(context, target, object, fieldManager)) object = await send();
    if (lastAppliedText(object) !== undefined) object = await keepLastApplied(context, target);
  }
  return { object, operation: 'serverside-applied' };
}

const isConflict = (error: unknown): error is ApiError => error instanceof ApiError && error.reason === 'Conflict';

function conflictError(error: ApiError): CliError {
  return new CliError(`${error.message}
Other managers hold the fields named above. To go on:
* pass --force-conflicts to take these fields over;
* or leave them out of the manifest, so that they stay with their managers;
* or give them the values that they have, to share them.
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`);
}

/**
 * Hands what the client's apply owned to the server's manager, so that fields which left the manifest go away.
 * Resolves with whether anything changed hands.
 */
async function takeOver(
  context: CommandContext,
  target: LoadedTarget,
  object: JsonObject,
  manager: string,
): Promise<boolean> {
  const { managedFields = [], resourceVersion = '' } = metadataOf(object);
  const isOld = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === clientSideManager && entry.operation === 'Update' && (entry.subresource ?? '') === '';
  const old = managedFields.filter(isOld);
  const own = managedFields.find((entry) => entry.manager === manager && entry.operation === 'Apply');
  if (old.length === 0 || own === undefined) return false;
  const fieldsV1 = withoutLastApplied([own, ...old].map((entry) => entry.fieldsV1 ?? {}).reduce(union));
  const kept = managedFields.filter((entry) => !isOld(entry));
  await patchTarget(context, target, {
    type: 'json',
    body: [
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: kept.map((entry) => (entry === own ? { ...own, fieldsV1 } : entry)),
      },
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ],
  });
  return true;
}

function union(left: JsonObject, right: JsonObject): JsonObject {
  const fields: Record<string, Json | undefined> = { ...left };
  for (const [name, below] of Object.entries(right)) {
    fields[name] = union((left[name] ?? {}) as JsonObject, (below ?? {}) as JsonObject);
  }
  return fields;
}

/** The annotation of the client's apply gets a manager of its own. */
function withoutLastApplied(fields: JsonObject): JsonObject {
  const metadata = fields['f:metadata'] as JsonObject | undefined;
  const annotations = metadata?.['f:annotations'] as JsonObject | undefined;
  if (annotations === undefined) return fields;
  const { [`f:${lastAppliedAnnotation}`]: _, '.': __, ...others } = annotations;
  const { 'f:annotations': ___, ...rest } = metadata as JsonObject;
  const kept = Object.keys(others).length === 0 ? rest : { ...rest, 'f:annotations': others };
  const { 'f:metadata': ____, ...besides } = fields;
  return Object.keys(kept).length === 0 ? besides : { ...besides, 'f:metadata': kept };
}

/** Somebody may go back to the client's apply, which must then know what was applied. */
function keepLastApplied(context: CommandContext, target: LoadedTarget): Promise<JsonObject> {
  const { apiVersion, kind } = target.object;
  const { name, namespace } = metadataOf(target.object);
  const text = lastAppliedText(withLastApplied(target.object)) ?? `${goJson(target.object)}\n`;
  const body = withMetadata({ apiVersion, kind }, { name, namespace, annotations: { [lastAppliedAnnotation]: text } });
  return patchTarget(context, target, { type: 'apply', body, fieldManager: lastAppliedManager, force: true });
}
