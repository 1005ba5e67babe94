import { writeFileSync } from 'node:fs';
import { dumpYaml } from '#machinery/yaml.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, booleanFlag, textFlag, textFlagWith } from '../../flags.ts';
import { buildKustomization } from '../../kustomize/build.ts';
import { defineVerb } from '../../verb.ts';

const pluginFlags = {
  'as-current-user': booleanFlag('Kept for scripts: functions do not run here.', { hidden: true }),
  'enable-alpha-plugins': booleanFlag('Kept for scripts: plugins do not run here.', { hidden: true }),
  'enable-helm': booleanFlag('Kept for scripts: charts are not rendered here.', { hidden: true }),
  env: arrayFlag('Kept for scripts: functions do not run here.', { short: 'e', hidden: true }),
  network: booleanFlag('Kept for scripts: functions do not run here.', { hidden: true }),
} as const;

export const kustomize = defineVerb({
  name: 'kustomize',
  summary: 'Build a kustomization target from a directory or URL',
  usage: 'DIR',
  about:
    'Prints the objects that the kustomization.yaml of a directory describes: resources and generated ConfigMaps and Secrets, changed by patches, prefixes, labels and images. DIR is the current directory when it is left out.',
  examples: `
# Build the current directory
kubectl kustomize

# Build an overlay, and apply what it comes to
kubectl apply -k overlays/production`,
  flags: {
    ...pluginFlags,
    'load-restrictor': textFlagWith(
      'LoadRestrictionsRootOnly',
      "if set to 'LoadRestrictionsNone', local kustomizations may load files from outside their root.",
    ),
    output: textFlag('If specified, write output to this path.', { short: 'o' }),
  },
  async run(context, flags, args) {
    if (args.length > 1) throw new CliError('specify one path to kustomization.yaml');
    const restrictor = flags['load-restrictor'];
    if (restrictor !== 'LoadRestrictionsRootOnly' && restrictor !== 'LoadRestrictionsNone') {
      throw new CliError(
        `illegal flag value --load-restrictor ${restrictor}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`,
      );
    }
    const objects = buildKustomization(args[0] ?? '.', {
      allowsOutsideFiles: restrictor === 'LoadRestrictionsNone',
      warn: context.err,
    });
    const text = objects.map(dumpYaml).join('---\n');
    if (flags.output === undefined) context.out(text);
    else writeFileSync(flags.output, text);
    return 0;
  },
});
