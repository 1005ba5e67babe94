import type { CommandContext } from '../../context.ts';
import type { ResourceInfo } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, integerFlag, textFlag } from '../../flags.ts';
import { tabulate } from '../../output/tabulate.ts';
import { parseResourceArguments } from '../../resources/arguments.ts';
import { fetchObjects, isNotFound, type Query } from '../../resources/fetch.ts';
import { fileFlags, readManifests } from '../../resources/files.ts';
import { placeManifest } from '../../resources/place.ts';
import { defineVerb } from '../../verb.ts';
import { describerOf } from './describers.ts';
import { type Described, Sheet } from './sheet.ts';

const flags = {
  ...fileFlags,
  'all-namespaces': booleanFlag('If present, list the requested object(s) across all namespaces.', { short: 'A' }),
  'chunk-size': integerFlag(500, 'Return large lists in chunks rather than all at once. Pass 0 to disable.'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  'show-events': booleanFlag('If true, display events related to the described object.', { initial: true }),
} as const;

type DescribeFlags = FlagValues<typeof flags>;

/** An object and the resource it is of. */
interface Found {
  readonly info: ResourceInfo;
  readonly object: Described;
}

export const describe = defineVerb({
  name: 'describe',
  summary: 'Show details of a specific resource or group of resources',
  about:
    'Show details of a specific resource or group of resources.\n\n Print a detailed description of the selected resources, including related resources such as events or controllers. You may select a single object by name, all objects of that type, provide a name prefix, or label selector.',
  usage: '(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)',
  flags,
  async run(context, given, args) {
    const failures: unknown[] = [];
    const found: Found[] = [];
    let byPrefix = false;
    for (const query of await queriesOf(context, given, args)) {
      try {
        const looked = await lookUp(context, query, given['chunk-size']);
        found.push(...looked.found);
        byPrefix ||= looked.byPrefix;
      } catch (error) {
        failures.push(error);
      }
    }
    const showEvents = given['show-events'] && (found.length === 1 || context.changed.has('show-events'));
    for (const [index, { info, object }] of found.entries()) {
      const sheet = new Sheet();
      await describerOf(info.kind, info.group)(sheet, object, { context, showEvents });
      // Objects found by the beginning of their names are each followed by an empty line.
      const [before, after] = byPrefix ? ['', '\n'] : [index > 0 ? '\n\n' : '', ''];
      context.out(before + tabulate(sheet.text) + after);
    }
    if (found.length === 0 && failures.length === 0) {
      const where = given['all-namespaces'] ? '' : ` in ${context.namespace()} namespace.`;
      context.err(`No resources found${where}\n`);
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
    return 0;
  },
});

async function queriesOf(
  context: CommandContext,
  given: DescribeFlags,
  args: readonly string[],
): Promise<readonly Query[]> {
  if (given.filename.length > 0 || given.kustomize !== undefined) {
    const manifests = await readManifests(context, given);
    return Promise.all(manifests.map(({ object }) => placeManifest(context, object)));
  }
  if (args.length === 0) {
    throw new CliError(
      `You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.`,
    );
  }
  const { targets } = parseResourceArguments(await context.mapper(), args);
  return targets.map(({ info, name }) => ({
    info,
    name,
    namespace: info.namespaced && !given['all-namespaces'] ? context.namespace() : undefined,
    labelSelector: given.selector,
  }));
}

/** The object of the name, else all whose names begin with it. */
async function lookUp(
  context: CommandContext,
  query: Query,
  chunkSize: number,
): Promise<{ readonly found: readonly Found[]; readonly byPrefix: boolean }> {
  const fetch = async (each: Query): Promise<readonly Found[]> =>
    (await fetchObjects(context, each, { chunkSize })).map((object) => ({
      info: query.info,
      object: object as Described,
    }));
  try {
    return { found: await fetch(query), byPrefix: false };
  } catch (error) {
    if (!isNotFound(error) || query.name === undefined) throw error;
    const all = await fetch({ ...query, name: undefined });
    const matching = all.filter(({ object }) => object.metadata.name?.startsWith(query.name ?? ''));
    if (matching.length === 0) throw error;
    return { found: matching, byPrefix: true };
  }
}
