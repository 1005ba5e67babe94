import { readFileSync } from 'node:fs';
import { equalValues } from '#machinery/equality.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { applyJsonPatch } from '#machinery/patch/json-patch.ts';
import { applyMergePatch } from '#machinery/patch/merge-patch.ts';
import { applyStrategicPatch } from '#machinery/patch/strategic-patch.ts';
import { parseYaml } from '#machinery/yaml.ts';
import type { ResourceInfo } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, textFlag, textFlagWith } from '../../flags.ts';
import { dryRunFlags, dryRunOf } from '../../manifests/dry-run.ts';
import { chosenTargets } from '../../manifests/modify.ts';
import { withKind } from '../../manifests/objects.ts';
import { type PatchRequest, type PatchType, patchTarget, schemaOf } from '../../manifests/patches.ts';
import { targetPath, visitTargets } from '../../manifests/targets.ts';
import { labelOf, objectPrinter, printFlags } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

export const patch = defineVerb({
  name: 'patch',
  summary: 'Update fields of a resource',
  usage: '(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]',
  examples: `
# A strategic merge patch
kubectl patch deployment web -p '{"spec":{"replicas":3}}'

# A JSON patch
kubectl patch pod web-0 --type=json -p '[{"op":"remove","path":"/metadata/labels/tier"}]'`,
  flags: {
    ...fileFlags,
    ...printFlags,
    ...dryRunFlags,
    'field-manager': textFlagWith('kubectl-patch', 'Name of the manager used to track field ownership.'),
    local: booleanFlag('If true, patch will operate on the content of the file, not the server-side resource.'),
    patch: textFlag('The patch to be applied to the resource JSON file.', { short: 'p' }),
    'patch-file': textFlag('A file containing a patch to be applied to the resource.'),
    subresource: textFlag('If specified, patch will operate on the subresource of the requested object.'),
    type: textFlagWith('strategic', 'The type of patch being provided; one of [json merge strategic]'),
  },
  async run(context, flags, args) {
    const { type, subresource } = flags;
    if (type !== 'json' && type !== 'merge' && type !== 'strategic') {
      throw new CliError(`--type must be one of [json merge strategic], not ${JSON.stringify(type)}`);
    }
    const body = patchBody(flags);
    const dryRun = dryRunOf(context, flags);
    const print = await objectPrinter(flags);
    const selection = await chosenTargets(context, { args, files: flags }, flags);
    if (selection.targets.length === 0 && selection.problems.length === 0)
      throw new CliError('no objects passed to patch');
    await visitTargets(selection, async (target) => {
      const before =
        subresource === undefined ? target.object : await context.request({ path: targetPath(target, subresource) });
      const isLocal = flags.local || dryRun === 'client';
      const request: PatchRequest = { type, body, dryRun, fieldManager: flags['field-manager'], subresource };
      const result = isLocal ? patchHere(before, request, target.info) : await patchTarget(context, target, request);
      const changed = !equalValues(withKind(before, target.info), withKind(result, target.info));
      if (print !== undefined) context.out(print(withKind(result, target.info)));
      else context.out(`${labelOf(withKind(result, target.info))} patched${changed ? '' : ' (no change)'}\n`);
    });
    return 0;
  },
});

function patchBody(flags: { readonly patch: string | undefined; readonly 'patch-file': string | undefined }): object {
  const { patch: text, 'patch-file': path } = flags;
  if ((text === undefined) === (path === undefined)) {
    throw new CliError(
      text === undefined
        ? 'must specify --patch or --patch-file containing the contents of the patch'
        : 'cannot specify --patch and --patch-file together',
    );
  }
  let source = text ?? '';
  try {
    if (path !== undefined) source = readFileSync(path, 'utf8');
  } catch {
    throw new CliError(`unable to read patch file: open ${path}: no such file or directory`);
  }
  let parsed: Json;
  try {
    parsed = parseYaml(source);
  } catch (error) {
    throw new CliError(`unable to parse ${JSON.stringify(source)}: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw new CliError(`unable to parse ${JSON.stringify(source)}: it is no object`);
  return parsed;
}

function patchHere(
  object: JsonObject,
  { type, body }: { readonly type: PatchType; readonly body: object },
  info: ResourceInfo,
): JsonObject {
  if (type === 'json') return applyJsonPatch(object, body) as JsonObject;
  const schema = schemaOf(info);
  if (type === 'strategic' && schema !== undefined) return applyStrategicPatch(object, body as JsonObject, schema);
  return applyMergePatch(object, body as JsonObject) as JsonObject;
}
