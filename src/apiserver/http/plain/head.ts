/** The head of a request that is read here; all others are Node's to read. */
export interface PlainHead {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes from the first of the head to the first of the body. */
  readonly end: number;
  /** Bytes of the body. */
  readonly length: number;
}

/** A longer head is left to Node. */
const maxHeadBytes = 8 * 1024;
const headEnd = Buffer.from('\r\n\r\n');
const requestLine = /^(GET|POST|PUT|PATCH|DELETE) (\/[!-~]*) HTTP\/1\.1$/;
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([ \t\x21-\x7e\x80-\xff]*)$/;
const bodyLength = /^\d{1,9}$/;

/** Headers that ask for something of the connection, or that make an object's prototype of a name. */
const unusual: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  '__proto__',
]);

interface Block {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
}

/**
 * Reads heads of requests of the usual form, of which HTTP (RFC 9112) leaves no doubt what they say: one whole head, one
 * line to each header and each header once, a body of a length that is said. Whatever is different is not judged here.
 */
export class HeadReader {
  /** A client's headers are mostly those of its last request. */
  #last: Block | undefined;

  /** Undefined for all but the usual form. */
  read(bytes: Buffer): PlainHead | undefined {
    const end = bytes.indexOf(headEnd);
    if (end < 0 || end > maxHeadBytes) return undefined;
    const text = bytes.toString('latin1', 0, end);
    const lineEnd = text.indexOf('\r\n');
    const line = requestLine.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
    const block = lineEnd < 0 || line === null ? undefined : this.#block(text.slice(lineEnd + 2));
    if (block === undefined) return undefined;
    const { headers, length } = block;
    return { method: line![1]!, target: line![2]!, headers, end: end + headEnd.length, length };
  }

  #block(text: string): Block | undefined {
    if (this.#last?.text !== text) this.#last = readBlock(text);
    return this.#last;
  }
}

function readBlock(text: string): Block | undefined {
  const headers: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const match = headerLine.exec(line);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    if (unusual.has(name) || Object.hasOwn(headers, name)) return undefined;
    headers[name] = match[2]!.trimEnd();
  }
  const { host, connection = 'keep-alive', 'content-length': length = '0' } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !bodyLength.test(length)) return undefined;
  return { text, headers, length: Number(length) };
}
