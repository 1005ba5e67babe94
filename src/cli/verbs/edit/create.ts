import { dumpYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { type LoadedTarget, manifestTarget } from '../../manifests/targets.ts';
import { parseManifests } from '../../resources/files.ts';
import { openEditedFile } from './editor.ts';

/** Shows new objects to the person before they are created. Throws CliError when nothing is left of them. */
export async function editAndCreate(
  context: CommandContext,
  targets: readonly LoadedTarget[],
): Promise<readonly LoadedTarget[]> {
  const file = openEditedFile(context, '.yaml');
  try {
    const text = await file.edit(targets.map(({ object }) => dumpYaml(object)).join('---\n'));
    const manifests = parseManifests(text, file.path);
    if (manifests.length === 0) throw new CliError('Edit cancelled, saved file was empty.');
    return await Promise.all(manifests.map((manifest) => manifestTarget(context, manifest)));
  } finally {
    file.remove();
  }
}
