import type { Json, JsonObject } from '#machinery/meta.ts';

/** A meta/v1 Table, as the server answers when asked for one. */
export interface Table {
  readonly columnDefinitions: readonly TableColumn[];
  readonly rows?: readonly TableRow[];
}

export interface TableColumn {
  readonly name: string;
  readonly type?: string;
  /** Columns above 0 are for `-o wide`. */
  readonly priority?: number;
}

export interface TableRow {
  readonly cells: readonly Json[];
  readonly object?: JsonObject;
}

/** What asks a server for Tables, and for objects where it makes none. */
export const tableAccept =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

export interface TableOptions {
  readonly wide?: boolean;
  readonly noHeaders?: boolean;
  readonly withNamespace?: boolean;
  readonly showLabels?: boolean;
  /** Labels that get a column of their own. */
  readonly labelColumns?: readonly string[];
  /** Put in front of each name: `pod/`. */
  readonly namePrefix?: string;
}

/** Spaces between columns, and the least that a column takes with them. */
const gap = 3;
const narrowest = 6;

/** Prints rows in columns as wide as they need be, as Go's tabwriter does; the last column is not padded. */
export function formatColumns(
  rows: readonly (readonly string[])[],
  { padding = gap, minimum = narrowest }: { readonly padding?: number; readonly minimum?: number } = {},
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? minimum, width(cell) + padding);
    });
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
      )
      .join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

const width = (text: string): number => [...text].length;

/** The header of a table, as cells. */
export function headerCells(table: Table, options: TableOptions): readonly string[] {
  return [
    ...(options.withNamespace === true ? ['NAMESPACE'] : []),
    ...visible(table, options).map((index) => table.columnDefinitions[index]!.name.toUpperCase()),
    ...(options.labelColumns ?? []).map(labelHeader),
    ...(options.showLabels === true ? ['LABELS'] : []),
  ];
}

/** The rows of a table, as cells. */
export function rowCells(table: Table, options: TableOptions): readonly (readonly string[])[] {
  const columns = visible(table, options);
  return (table.rows ?? []).map((row) => {
    const metadata = row.object?.['metadata'] as
      | { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> }
      | undefined;
    const labels = metadata?.labels ?? {};
    const cells = columns.map((index) => cellText(row.cells[index]));
    if (options.namePrefix !== undefined && table.columnDefinitions[columns[0] ?? 0]?.name.toLowerCase() === 'name') {
      cells[0] = options.namePrefix + cells[0];
    }
    return [
      ...(options.withNamespace === true ? [metadata?.namespace ?? ''] : []),
      ...cells,
      ...(options.labelColumns ?? []).map((key) => labels[key] ?? ''),
      ...(options.showLabels === true ? [labelText(labels)] : []),
    ];
  });
}

function visible(table: Table, { wide = false }: TableOptions): readonly number[] {
  return table.columnDefinitions.flatMap(({ priority = 0 }, index) => (wide || priority === 0 ? [index] : []));
}

/** Cells hold one line: a longer text ends at its first line end. */
function cellText(cell: Json | undefined): string {
  if (cell === undefined || cell === null) return '<none>';
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  const lineEnd = text.search(/[\n\r\f\0]/);
  return lineEnd < 0 ? text : `${text.slice(0, lineEnd)}...`;
}

/** `app.kubernetes.io/name` becomes NAME. */
const labelHeader = (key: string): string => key.slice(key.lastIndexOf('/') + 1).toUpperCase();

function labelText(labels: Readonly<Record<string, string>>): string {
  const keys = Object.keys(labels).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels[key]}`).join(',');
}
