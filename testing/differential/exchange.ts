import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';

/** One request, as it is recorded: everything but where to. */
export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Any others, such as those of impersonation. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly warnings: readonly string[];
  /** Those of `comparedHeaders` that there are; of numbers, that there is one. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the body ends with a new line. */
  readonly endsLine: boolean;
  readonly body: string;
}

/** Headers that clients may look at, besides those that every HTTP server has. */
const comparedHeaders = ['content-type', 'cache-control', 'x-content-type-options', 'retry-after', 'allow'];
const numberHeaders = ['audit-id', 'x-kubernetes-pf-flowschema-uid', 'x-kubernetes-pf-prioritylevel-uid'];

function headersOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of comparedHeaders) if (headers[name] !== undefined) found[name] = String(headers[name]);
  for (const name of numberHeaders) if (headers[name] !== undefined) found[name] = 'NUMBER';
  return found;
}

/** A server and the credentials of its administrator, in PEM. */
export interface Access {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** So long, a server may take to answer. */
const answerLimitMs = 30_000;

/** Asks one server over kept-alive connections. */
export class Asker {
  readonly #access: Access;
  readonly #agent: Agent;

  constructor(access: Access, connections = 8) {
    this.#access = access;
    const { ca, cert, key } = access;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key });
  }

  ask({ method, path, contentType, accept = 'application/json', headers: others, body }: Request): Promise<Answer> {
    const headers = {
      accept,
      'user-agent': 'differential/1.0',
      ...(others as Readonly<Record<string, string | string[]>> | undefined),
      ...(body === undefined
        ? {}
        : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#access.port, method, path, headers, agent: this.#agent };
      const outgoing = request(options, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const body = Buffer.concat(parts).toString();
          resolve({
            status: answer.statusCode ?? 0,
            contentType: answer.headers['content-type'] ?? '',
            warnings: warningsOf(answer.headers['warning']),
            headers: headersOf(answer.headers),
            endsLine: body.endsWith('\n'),
            body,
          });
        });
      });
      outgoing.on('error', reject);
      outgoing.setTimeout(answerLimitMs, () => outgoing.destroy(new Error(`no answer in ${answerLimitMs} ms`)));
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The texts of `299 - "text"` headers. */
function warningsOf(header: string | string[] | undefined): readonly string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, warning]) => warning!.replace(/\\(.)/g, '$1'));
}
