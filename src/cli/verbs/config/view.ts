import { readFileSync } from 'node:fs';
import { readKubeconfig } from '#client/http/kubeconfig.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag } from '../../flags.ts';
import { objectPrinter, printFlags } from '../../output/printers.ts';
import { defineVerb } from '../../verb.ts';
import { type Entry, entriesOf, pathsOf, type Section, withEntries } from './files.ts';

export const view = defineVerb({
  name: 'view',
  summary: 'Display merged kubeconfig settings or a specified kubeconfig file',
  usage: '[flags]',
  flags: {
    ...printFlags,
    flatten: booleanFlag(
      'Flatten the resulting kubeconfig file into self-contained output (useful for creating portable kubeconfig files)',
    ),
    merge: booleanFlag('Merge the full hierarchy of kubeconfig files', { initial: true }),
    minify: booleanFlag('Remove all information not used by current-context from the output'),
    raw: booleanFlag('Display raw byte data and sensitive data'),
  },
  run: async (context, flags) => {
    let config = readKubeconfig(pathsOf(context)) as unknown as JsonObject;
    const current = context.globals.context ?? String(config['current-context'] ?? '');
    if (flags.minify) config = minified(config, current);
    if (flags.flatten) config = mapContents(mapContents(config, 'clusters', inlined), 'users', inlined);
    if (!flags.raw && !flags.flatten)
      config = mapContents(mapContents(config, 'clusters', redacted), 'users', redacted);
    const printer = await objectPrinter({
      ...flags,
      output: flags.output === undefined && flags.template === undefined ? 'yaml' : flags.output,
    });
    const orNull = (section: Section): Json => {
      const list = config[section] as readonly Json[] | undefined;
      return list === undefined || list.length === 0 ? null : list;
    };
    context.out(
      printer!({
        ...config,
        kind: 'Config',
        apiVersion: 'v1',
        clusters: orNull('clusters'),
        contexts: orNull('contexts'),
        users: orNull('users'),
        'current-context': current,
      }),
    );
    return 0;
  },
});

function mapContents(config: JsonObject, section: Section, change: (content: JsonObject) => JsonObject): JsonObject {
  const entries = entriesOf(config, section).map(({ name, content }): Entry => ({ name, content: change(content) }));
  return withEntries(config, section, entries);
}

function minified(config: JsonObject, current: string): JsonObject {
  const context = entriesOf(config, 'contexts').find(({ name }) => name === current);
  if (current === '') throw new CliError('current-context must exist in order to minify');
  if (context === undefined) throw new CliError(`cannot locate context ${current}`);
  const { cluster, user } = context.content;
  const only = (section: Section, wanted: Json | undefined) =>
    entriesOf(config, section).filter(({ name }) => name === wanted);
  const clusters = withEntries(config, 'clusters', only('clusters', cluster));
  return withEntries(withEntries(clusters, 'users', only('users', user)), 'contexts', [context]);
}

const omitted: Readonly<Record<string, string>> = {
  'certificate-authority-data': 'DATA+OMITTED',
  'client-certificate-data': 'DATA+OMITTED',
  'client-key-data': 'DATA+OMITTED',
  token: 'REDACTED',
  password: 'REDACTED',
};

function redacted(content: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(content).map(([key, value]) => [
      key,
      Object.hasOwn(omitted, key) && value !== '' ? omitted[key]! : value,
    ]),
  );
}

const filesToInline = ['certificate-authority', 'client-certificate', 'client-key'];

function inlined(content: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(content).map(([key, value]) =>
      filesToInline.includes(key) && typeof value === 'string'
        ? [`${key}-data`, readFileSync(value).toString('base64')]
        : [key, value],
    ),
  );
}
