/** What the library says of text that is no YAML, and where it met it: both counted from 0. */
export interface YamlProblem {
  readonly reason: string;
  readonly line: number;
  readonly position: number;
}

/** Which part of Go's reader tells of it: the scanner counts lines from 1, the parser from 0. */
type Teller = 'scanner' | 'parser';

interface Words {
  readonly by: Teller;
  readonly text: string;
  readonly line: number;
}

const noToken = 'found character that cannot start any token';

/**
 * Why text is no YAML, in the words of Go's reader, which clients of the official server know. Where there are none,
 * the library's own with their line.
 */
export function inGoWords(problem: YamlProblem, text: string): string {
  if (problem.reason.includes('null byte')) return 'control characters are not allowed';
  const alias = /^unidentified alias "(.*)"$/.exec(problem.reason)?.[1];
  if (alias !== undefined) return `unknown anchor '${alias}' referenced`;
  const words = wordsOf(problem, text);
  if (words === undefined) return `line ${problem.line + 1}: ${problem.reason}`;
  if (words.line === 0) return words.text;
  return `line ${words.by === 'scanner' ? words.line + 1 : words.line}: ${words.text}`;
}

function wordsOf({ reason, line, position }: YamlProblem, text: string): Words | undefined {
  const scanner = (words: string, at = line): Words => ({ by: 'scanner', text: words, line: at });
  const parser = (words: string, at = line): Words => ({ by: 'parser', text: words, line: at });
  const character = text[position] ?? '';
  switch (reason) {
    case 'unexpected end of the stream within a flow collection':
      return parser(missingInFlow(text), lineOfEnd(text));
    case 'unexpected end of the stream within a double quoted scalar':
    case 'unexpected end of the stream within a single quoted scalar':
      return scanner('found unexpected end of stream', text.split('\n').length - 1);
    case 'bad indentation of a mapping entry':
      if (character === ':') return scanner('mapping values are not allowed in this context');
      return startsNoToken(character) ? scanner(noToken) : parser('did not find expected key');
    case 'bad indentation of a sequence entry':
      return parser("did not find expected '-' indicator");
    case 'tab characters must not be used in indentation':
      return scanner(noToken);
    case 'directive name must not be less than one character in length':
      return scanner('could not find expected directive name');
    case 'a line break is expected':
      return scanner('did not find expected comment or line break');
    case 'end of the stream or a document separator is expected':
      if (startsNoToken(character)) return scanner(noToken);
      return text.trimStart().startsWith('-') ? parser("did not find expected '-' indicator") : undefined;
    default:
      return undefined;
  }
}

const startsNoToken = (character: string): boolean => character !== '' && '@`%'.includes(character);

/** The line of the end, which Go's reader lets begin anew. */
function lineOfEnd(text: string): number {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.length - 1 : lines.length;
}

/** What is missing where a list or map in brackets does not end. */
function missingInFlow(text: string): string {
  if (/[{[,:]\s*$/.test(text)) return 'did not find expected node content';
  const open: string[] = [];
  for (const [character] of text.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '').matchAll(/[{}[\]]/g)) {
    if (character === '{' || character === '[') open.push(character);
    else open.pop();
  }
  return `did not find expected ',' or '${open.at(-1) === '[' ? ']' : '}'}'`;
}
