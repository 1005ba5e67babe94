import { lines } from '#client/http/client.ts';
import { errorFrom } from '#client/request.ts';
import { parseJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { resourcePath } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { customColumnsPrinter, isCustomColumns } from '../../output/custom-columns.ts';
import { objectPrinter } from '../../output/printers.ts';
import { formatColumns, headerCells, rowCells, type Table, tableAccept } from '../../output/table.ts';
import { fetchPages, itemsOf, type Query } from '../../resources/fetch.ts';
import type { GetFlags } from './flags.ts';
import { tableOptions, toTable } from './print.ts';
import type { Request } from './run.ts';

/** Prints one thing that happened; `type` is ADDED, MODIFIED or DELETED. */
type EventPrinter = (type: string, object: JsonObject) => string;

/** Lists unless only changes are wanted, then prints each change until the server or the person ends it. */
export async function watchResources(context: CommandContext, flags: GetFlags, { queries }: Request): Promise<number> {
  const [query] = queries;
  if (query === undefined || queries.length > 1) {
    throw new CliError('you may only specify a single resource type');
  }
  const printer = await eventPrinter(flags, query);
  const accept = wantsTable(flags) ? tableAccept : 'application/json';
  const pages = await fetchPages(context, query, { accept, chunkSize: flags['chunk-size'] });
  if (!flags['watch-only']) {
    for (const page of pages) {
      for (const item of wantsTable(flags) ? [page] : itemsOf(page)) context.out(printer('ADDED', item));
    }
  }
  const last = pages.at(-1)?.['metadata'] as { readonly resourceVersion?: string } | undefined;
  const { body } = await context.stream({
    path: resourcePath(query.info, { namespace: query.namespace }),
    accept,
    query: {
      watch: 'true',
      resourceVersion: last?.resourceVersion,
      labelSelector: query.labelSelector,
      fieldSelector: query.name === undefined ? query.fieldSelector : `metadata.name=${query.name}`,
    },
  });
  try {
    for await (const line of lines(body)) {
      const { type, object } = parseJson(line) as unknown as { readonly type: string; readonly object: JsonObject };
      if (type === 'ERROR') throw errorFrom(500, object);
      if (type !== 'BOOKMARK') context.out(printer(type, object));
    }
  } catch (error) {
    // A watch that lasts as long as a request may has not failed.
    const isOver = context.changed.has('request-timeout') && (error as Error).message === 'aborted';
    if (!context.signal.aborted && !isOver) throw error;
  }
  return 0;
}

const wantsTable = ({ output, template }: GetFlags): boolean =>
  (output === undefined || output === '' || output === 'wide') && template === undefined;

async function eventPrinter(flags: GetFlags, query: Query): Promise<EventPrinter> {
  if (wantsTable(flags)) return tableEvents(flags, query);
  if (isCustomColumns(flags.output ?? '')) {
    let isFirst = true;
    return (_, object) => {
      const print = customColumnsPrinter(flags.output ?? '', { noHeaders: flags['no-headers'] || !isFirst });
      isFirst = false;
      return print([object]);
    };
  }
  const printer = await objectPrinter(flags, 'custom-columns, custom-columns-file, wide');
  if (printer === undefined) throw new Error('no output was asked for');
  return flags['output-watch-events'] ? (type, object) => printer({ type, object }) : (_, object) => printer(object);
}

/** Columns keep the widths of the rows before them, so that lines that come later stay below each other. */
function tableEvents(flags: GetFlags, query: Query): EventPrinter {
  const options = tableOptions(flags, { query, pages: [] }, flags['show-kind']);
  let definitions: Table['columnDefinitions'] | undefined;
  // The longest name of an event is expected from the start.
  let widths: readonly number[] = flags['output-watch-events'] ? ['MODIFIED'.length] : [];
  return (type, object) => {
    const table = toTable(object);
    const isFirst = definitions === undefined;
    definitions ??= table.columnDefinitions;
    const withEvent = (cells: readonly string[], event: string): readonly string[] =>
      flags['output-watch-events'] ? [event, ...cells] : cells;
    const rows = rowCells({ ...table, columnDefinitions: definitions }, options).map((row) => withEvent(row, type));
    const header = isFirst && !flags['no-headers'] ? [withEvent(headerCells(table, options), 'EVENT')] : [];
    const all = [...header, ...rows];
    if (all.length === 0) {
      definitions = undefined;
      return '';
    }
    widths = (all[0] ?? []).map((_, column) =>
      Math.max(widths[column] ?? 0, ...all.map((row) => [...(row[column] ?? '')].length)),
    );
    return formatColumns(
      all.map((row) =>
        row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))),
      ),
    );
  };
}
