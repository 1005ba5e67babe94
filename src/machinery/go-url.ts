/** The parts of a URL as Go's parser tells them apart, which takes much for a URL that others do not. */
export interface GoUrl {
  readonly scheme: string;
  readonly host: string;
  /** `name` or `name:password`. */
  readonly user: string | undefined;
  readonly query: string;
  readonly fragment: string;
}

/** The parts of `text`; an Error says why it has none, in the words of Go's parser. */
export function parseGoUrl(text: string): GoUrl | Error {
  try {
    return parse(text);
  } catch (error) {
    return new Error(`parse ${JSON.stringify(text)}: ${(error as Error).message}`);
  }
}

function parse(text: string): GoUrl {
  if (/[\x00-\x1f\x7f]/.test(text)) throw new Error('net/url: invalid control character in URL');
  const [whole, fragment] = cut(text, '#');
  checkEscapes(fragment);
  const [, scheme = '', after = whole] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(whole) ?? [];
  if (scheme === '' && whole.startsWith(':')) throw new Error('missing protocol scheme');
  const [rest, query] = cut(after, '?');
  const url = { scheme: scheme.toLowerCase(), host: '', user: undefined, query, fragment };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return url;
    if (cut(rest, '/')[0].includes(':')) throw new Error('first path segment in URL cannot contain colon');
  }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) {
    checkEscapes(rest);
    return url;
  }
  const authority = cut(rest.slice(2), '/')[0];
  checkEscapes(rest.slice(2 + authority.length));
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  checkPort(host);
  return { ...url, host, user: at < 0 ? undefined : authority.slice(0, at) };
}

function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function checkEscapes(text: string): void {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)?.[0];
  if (bad !== undefined) throw new Error(`invalid URL escape ${JSON.stringify(bad)}`);
}

function checkPort(host: string): void {
  const bad = /^[^[\]:]*(:.*)$|\](.+)$/s.exec(host);
  const port = bad?.[1] ?? bad?.[2];
  if (port !== undefined && !/^:\d*$/.test(port)) throw new Error(`invalid port ${JSON.stringify(port)} after host`);
  const space = /[ "<>^`{}|\\]/.exec(host)?.[0];
  if (space !== undefined) throw new Error(`invalid character ${JSON.stringify(space)} in host name`);
}
