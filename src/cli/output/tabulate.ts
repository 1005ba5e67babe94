/**
 * Aligns text whose cells end with tabs, as Go's tabwriter does: a column is as wide as its widest cell among the
 * lines in a row that have it, so that blocks of lines align by themselves.
 */
export function tabulate(
  text: string,
  { minimum = 0, padding = 2 }: { readonly minimum?: number; readonly padding?: number } = {},
): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  const columns = Math.max(...lines.map((cells) => cells.length)) - 1;
  for (let column = 0; column < columns; column++) {
    for (let start = 0; start < lines.length; start++) {
      let end = start;
      let width = minimum;
      // The last cell of a line has no tab behind it and belongs to no column.
      for (; end < lines.length && lines[end]!.length - 1 > column; end++) {
        width = Math.max(width, [...lines[end]![column]!].length + padding);
      }
      for (let line = start; line < end; line++) widths[line]![column] = width;
      start = Math.max(start, end);
    }
  }
  return lines
    .map((cells, line) =>
      cells
        .map((cell, column) =>
          column === cells.length - 1 ? cell : cell + ' '.repeat(widths[line]![column]! - [...cell].length),
        )
        .join(''),
    )
    .join('\n');
}
