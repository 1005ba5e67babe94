import { lines } from '#client/http/client.ts';
import { parseJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { resourcePath } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, integerFlag, listFlag, textFlag } from '../../flags.ts';
import { printFlags, typedPrinter } from '../../output/printers.ts';
import { formatColumns } from '../../output/table.ts';
import { parseSingle } from '../../resources/arguments.ts';
import { fetchPages, itemsOf } from '../../resources/fetch.ts';
import { defineVerb } from '../../verb.ts';
import { type EventLike, lastSeen, lastTime } from './event.ts';

const flags = {
  ...printFlags,
  'all-namespaces': booleanFlag('If present, list the requested object(s) across all namespaces.', { short: 'A' }),
  'chunk-size': integerFlag(500, 'Return large lists in chunks rather than all at once. Pass 0 to disable.'),
  for: textFlag('Filter events to only those pertaining to the specified resource.'),
  'no-headers': booleanFlag("When using the default output format, don't print headers."),
  types: listFlag('Output only events of given types.'),
  watch: booleanFlag('After listing the requested events, watch for more events.', { short: 'w' }),
} as const;

export const events = defineVerb({
  name: 'events',
  summary: 'List events',
  about:
    'Display events.\n\n Prints a table of the most important information about events. You can request events for a namespace, for all namespace, or filtered to only those pertaining to a specified resource.',
  usage: '[(-o|--output=)json|yaml|name|…] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]',
  flags,
  run,
});

async function run(context: CommandContext, given: FlagValues<typeof flags>): Promise<number> {
  const printer = await typedPrinter(given);
  const mapper = await context.mapper();
  const info = mapper.resource('events');
  const namespace = given['all-namespaces'] ? undefined : context.namespace();
  const types = given.types.map((type) => type.toLowerCase());
  for (const type of types) {
    if (type !== 'normal' && type !== 'warning') throw new CliError('valid --types are Normal or Warning');
  }
  const fieldSelector = await selectorFor(context, given.for);
  const wanted = ({ type = '' }: EventLike): boolean => types.length === 0 || types.includes(type.toLowerCase());
  const pages = await fetchPages(context, { info, namespace, fieldSelector }, { chunkSize: given['chunk-size'] });
  const found = pages
    .flatMap(itemsOf)
    .filter((object) => wanted(object as unknown as EventLike))
    .sort((a, b) => lastTime(a as unknown as EventLike) - lastTime(b as unknown as EventLike));
  if (printer !== undefined) {
    context.out(printer({ apiVersion: 'v1', kind: 'EventList', metadata: {}, items: found }));
  } else if (found.length === 0 && !given.watch) {
    context.err(namespace === undefined ? 'No events found.\n' : `No events found in ${namespace} namespace.\n`);
  } else {
    const header = given['no-headers'] ? [] : [headerOf(given)];
    context.out(formatColumns([...header, ...found.map((event) => rowOf(context, given, event))]));
  }
  if (!given.watch) return 0;
  const last = pages.at(-1)?.['metadata'] as { readonly resourceVersion?: string } | undefined;
  const { body } = await context.stream({
    path: resourcePath(info, { namespace }),
    query: { watch: 'true', resourceVersion: last?.resourceVersion, fieldSelector },
  });
  for await (const line of lines(body)) {
    const { type, object } = parseJson(line) as unknown as { readonly type: string; readonly object: JsonObject };
    if ((type !== 'ADDED' && type !== 'MODIFIED') || !wanted(object as unknown as EventLike)) continue;
    context.out(printer === undefined ? formatColumns([rowOf(context, given, object)]) : printer(object));
  }
  return 0;
}

async function selectorFor(context: CommandContext, target: string | undefined): Promise<string | undefined> {
  if (target === undefined) return undefined;
  if (!/^[^/]+\/[^/]+$/.test(target)) {
    throw new CliError(`--for must be in resource/name form`);
  }
  const { info, name } = parseSingle(await context.mapper(), [target]);
  const version = info.group === '' ? info.version : `${info.group}/${info.version}`;
  return `involvedObject.kind=${info.kind},involvedObject.name=${name},involvedObject.apiVersion=${version}`;
}

const headerOf = (given: FlagValues<typeof flags>): readonly string[] => [
  ...(given['all-namespaces'] ? ['NAMESPACE'] : []),
  'LAST SEEN',
  'TYPE',
  'REASON',
  'OBJECT',
  'MESSAGE',
];

function rowOf(context: CommandContext, given: FlagValues<typeof flags>, object: JsonObject): readonly string[] {
  const event = object as unknown as EventLike;
  return [
    ...(given['all-namespaces'] ? [event.metadata.namespace ?? ''] : []),
    lastSeen(event, context.clock.now()),
    event.type ?? '',
    event.reason ?? '',
    `${event.involvedObject?.kind ?? ''}/${event.involvedObject?.name ?? ''}`,
    (event.message ?? '').trim(),
  ];
}
