import type { Json, JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { qualifiedName } from '../../discovery/mapper.ts';
import { customColumnsPrinter, isCustomColumns } from '../../output/custom-columns.ts';
import { objectPrinter } from '../../output/printers.ts';
import { sortObjects, sortRows } from '../../output/sort.ts';
import { formatColumns, headerCells, rowCells, type Table, type TableOptions } from '../../output/table.ts';
import { itemsOf } from '../../resources/fetch.ts';
import type { GetFlags } from './flags.ts';
import type { Answer, Request } from './run.ts';

/** Prints what the server answered, in one of the forms of `-o`. */
export interface ListPrinter {
  /** The server is asked for Tables, not for objects. */
  readonly wantsTable: boolean;
  /** Programs read it: nothing found is an empty list, not a sentence. */
  readonly isStructured: boolean;
  print(context: CommandContext, answers: readonly Answer[], request: Request): void;
}

const tableOutputs = new Set([undefined, '', 'wide']);

export async function listPrinter(flags: GetFlags): Promise<ListPrinter> {
  if (tableOutputs.has(flags.output) && flags.template === undefined) {
    return {
      wantsTable: true,
      isStructured: false,
      print: (context, answers) => printTables(context, flags, answers),
    };
  }
  if (isCustomColumns(flags.output ?? '')) {
    const columns = customColumnsPrinter(flags.output ?? '', { noHeaders: flags['no-headers'] });
    return {
      wantsTable: false,
      isStructured: false,
      print: (context, answers) => {
        const objects = sorted(flags, allItems(answers));
        if (objects.length > 0 || answers.length > 0) context.out(columns(objects));
      },
    };
  }
  const printer = await objectPrinter(flags, 'custom-columns, custom-columns-file, wide');
  if (printer === undefined) throw new Error('no output was asked for');
  return {
    wantsTable: false,
    isStructured: flags.output !== 'name',
    print(context, answers, request) {
      const [only] = answers;
      if (request.isSingle) {
        if (only?.pages[0] !== undefined) context.out(printer(only.pages[0]));
        return;
      }
      context.out(printer(asList(sorted(flags, allItems(answers)))));
    },
  };
}

function allItems(answers: readonly Answer[]): readonly JsonObject[] {
  return answers.flatMap(({ pages }) => pages.flatMap(itemsOf));
}

function sorted(flags: GetFlags, objects: readonly JsonObject[]): readonly JsonObject[] {
  return flags['sort-by'] === undefined ? objects : sortObjects(objects, flags['sort-by']);
}

/** Several objects are always one `v1` List, whatever their kinds are. */
function asList(items: readonly JsonObject[]): JsonObject {
  return { apiVersion: 'v1', items: items as readonly Json[], kind: 'List', metadata: { resourceVersion: '' } };
}

/** Options of the tables of a request: several resources tell their types in front of the names. */
export function tableOptions(flags: GetFlags, answer: Answer, withKind: boolean): TableOptions {
  const { info } = answer.query;
  return {
    wide: flags.output === 'wide',
    noHeaders: flags['no-headers'],
    withNamespace: flags['all-namespaces'] && info.namespaced,
    showLabels: flags['show-labels'],
    labelColumns: flags['label-columns'],
    ...(withKind ? { namePrefix: `${kindPrefix(answer)}/` } : {}),
  };
}

const kindPrefix = ({ query: { info } }: Answer): string =>
  `${info.kind.toLowerCase()}${qualifiedName(info).slice(info.resource.length)}`;

function printTables(context: CommandContext, flags: GetFlags, answers: readonly Answer[]): void {
  const withKind = flags['show-kind'] || new Set(answers.map(({ query: { info } }) => qualifiedName(info))).size > 1;
  // Objects of one resource asked for one by one share a table.
  const groups = new Map<string, { readonly answer: Answer; readonly tables: Table[] }>();
  for (const answer of answers) {
    const key = qualifiedName(answer.query.info);
    const group = groups.get(key) ?? { answer, tables: [] };
    group.tables.push(...answer.pages.map((page) => toTable(page)));
    groups.set(key, group);
  }
  let printed = 0;
  for (const { answer, tables } of groups.values()) {
    const [first] = tables;
    const rows = tables.flatMap((table) => table.rows ?? []);
    if (first === undefined || rows.length === 0) continue;
    const table = { ...first, rows: flags['sort-by'] === undefined ? rows : sortRows(rows, flags['sort-by']) };
    const options = tableOptions(flags, answer, withKind);
    const header = flags['no-headers'] ? [] : [headerCells(table, options)];
    if (printed++ > 0 && !flags['no-headers']) context.out('\n');
    context.out(formatColumns([...header, ...rowCells(table, options)]));
  }
}

/** The answer as a Table; servers that make none get name and age. */
export function toTable(page: JsonObject): Table {
  if (page['kind'] === 'Table') return page as unknown as Table;
  return {
    columnDefinitions: [{ name: 'Name' }, { name: 'Created At' }],
    rows: itemsOf(page).map((object) => {
      const metadata = object['metadata'] as
        | { readonly name?: string; readonly creationTimestamp?: string }
        | undefined;
      return { cells: [metadata?.name ?? '', metadata?.creationTimestamp ?? ''], object };
    }),
  };
}
