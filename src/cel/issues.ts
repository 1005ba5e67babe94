/** One thing that is wrong with a source. */
export interface Issue {
  /** Code points from the start. */
  readonly offset: number;
  readonly message: string;
}

/** Issues that are told; of more only their number is, as cel-go does. */
export const maximumIssues = 100;
/** A longer line is not shown, in bytes. */
const maximumSnippetBytes = 16_384;

/** Issues as cel-go prints them: position, message, the line, and a mark under the place. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  const told = issues.slice(0, maximumIssues).map((issue) => formatIssue(source, issue));
  const untold = issues.length - told.length;
  return [...told, ...(untold === 0 ? [] : [`${untold} more errors were truncated`])].join('\n');
}

function formatIssue(source: string, { offset, message }: Issue): string {
  // Of nothing there is no place, and nothing to show.
  if (source === '') return `ERROR: <input>:1:0: ${message}`;
  const characters = [...source];
  const before = characters.slice(0, Math.max(0, offset));
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.filter((character) => character === '\n').length + 1;
  const column = before.length - lineStart;
  const lineEnd = characters.indexOf('\n', lineStart);
  const text = characters.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
  const place = `ERROR: <input>:${line}:${column + 1}: ${message}`;
  if (new TextEncoder().encode(text.join('')).length > maximumSnippetBytes) return place;
  // A wide character takes two columns where the source is shown; the marks under it are wide as well.
  const dots = text.slice(0, column).map((character) => (isWide(character) ? '．' : '.'));
  const mark = isWide(text[column] ?? '') ? '＾' : '^';
  const snippet = text.join('').replaceAll('\t', ' ');
  return `${place}\n | ${snippet}\n | ${dots.join('')}${mark}`;
}

const isWide = (character: string): boolean => new TextEncoder().encode(character).length > 1;
