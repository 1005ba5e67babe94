import { statSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '#machinery/errors.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, durationFlag, type FlagValues, integerFlag, textFlagWith } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';
import { serveFile } from './static.ts';

/** Bytes of a request that are held while it is passed on. */
const maximumBodyBytes = 16 * 1024 * 1024;
/** Headers of one connection, or that the way to the server sets anew. */
const ownHeaders = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'authorization',
  'upgrade',
]);

const flags = {
  'accept-hosts': textFlagWith(
    '^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$',
    'Regular expression for hosts that the proxy should accept.',
  ),
  'accept-paths': textFlagWith('^.*', 'Regular expression for paths that the proxy should accept.'),
  address: textFlagWith('127.0.0.1', 'The IP address on which to serve on.'),
  'api-prefix': textFlagWith('/', 'Prefix to serve the proxied API under.'),
  'append-server-path': booleanFlag(
    'Kept for scripts: the path of the server that the kubeconfig names always stands before that of a request.',
  ),
  'disable-filter': booleanFlag(
    'If true, disable request filtering in the proxy. Dangerous with an accessible port: any page of a browser may then use it.',
  ),
  keepalive: durationFlag(0, 'The keep-alive period for an active network connection. 0 disables keepalive.'),
  port: integerFlag(8001, 'The port on which to run the proxy. Set to 0 to pick a random port.', { short: 'p' }),
  'reject-methods': textFlagWith('^$', 'Regular expression for HTTP methods that the proxy should reject.'),
  'reject-paths': textFlagWith(
    '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach',
    'Regular expression for paths that the proxy should reject, even those that --accept-paths accepts.',
  ),
  'unix-socket': textFlagWith('', 'Unix socket on which to run the proxy.', { short: 'u' }),
  www: textFlagWith('', 'Also serve static files from the given directory under the specified prefix.', {
    short: 'w',
  }),
  'www-prefix': textFlagWith('/static/', 'Prefix to serve static files under, if a directory is specified.', {
    short: 'P',
  }),
} as const;

type ProxyFlags = FlagValues<typeof flags>;

export const proxy = defineVerb({
  name: 'proxy',
  summary: 'Run a proxy to the Kubernetes API server',
  about:
    'Creates a proxy server between localhost and the Kubernetes API server: requests to it arrive there with the credentials of the kubeconfig.',
  usage: '[--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]',
  flags,
  async run(context, values) {
    const server = createServer(
      { keepAlive: values.keepalive > 0, keepAliveInitialDelay: values.keepalive },
      handlerOf(context, values),
    );
    await listen(server, values);
    const place = server.address();
    context.out(`Starting to serve on ${typeof place === 'string' ? place : hostAndPort(place as AddressInfo)}\n`);
    await new Promise<void>((resolve) => {
      const stop = () => {
        server.closeAllConnections();
        server.close(() => resolve());
      };
      if (context.signal.aborted) stop();
      else context.signal.addEventListener('abort', stop, { once: true });
    });
    return 0;
  },
});

const hostAndPort = ({ address, port }: AddressInfo): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function handlerOf(context: CommandContext, values: ProxyFlags): Handler {
  const accepts = filterOf(context, values);
  const prefix = values['api-prefix'].replace(/\/$/, '');
  const { www, 'www-prefix': wwwPrefix } = values;
  return (request, response) => {
    const { url = '/' } = request;
    const [path = ''] = url.split('?');
    if (www !== '' && path.startsWith(wwwPrefix) && wwwPrefix.length >= values['api-prefix'].length) {
      serveFile(www, path.slice(wwwPrefix.length), response).catch(() => response.destroy());
      return;
    }
    const isAccepted = accepts(request, path);
    if (!isAccepted || !url.startsWith(prefix)) {
      response
        .writeHead(isAccepted ? 404 : 403, { 'content-type': 'text/plain; charset=utf-8' })
        .end(isAccepted ? '404 page not found\n' : 'Forbidden\n');
      return;
    }
    const inner = url.slice(prefix.length) || '/';
    forward(context, request, response, inner).catch((error: unknown) => answerFailure(response, error));
  };
}

/** Which requests may pass. */
function filterOf(context: CommandContext, values: ProxyFlags): (request: IncomingMessage, path: string) => boolean {
  if (values['disable-filter']) {
    if (values['unix-socket'] === '') {
      context.err('W Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious\n');
    }
    return () => true;
  }
  const matches = (text: string): ((value: string) => boolean) => {
    const patterns = text === '' ? [] : text.split(',').map((pattern) => new RegExp(pattern));
    return (value) => patterns.some((pattern) => pattern.test(value));
  };
  const [acceptsHost, acceptsPath] = [matches(values['accept-hosts']), matches(values['accept-paths'])];
  const [rejectsPath, rejectsMethod] = [matches(values['reject-paths']), matches(values['reject-methods'])];
  return ({ method = 'GET', headers }, path) => {
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    return !rejectsPath(path) && !rejectsMethod(method) && acceptsPath(path) && acceptsHost(host);
  };
}

function listen(server: Server, { port, address, 'unix-socket': socket }: ProxyFlags): Promise<void> {
  const place = socket === '' ? `tcp ${address}:${port}` : `unix ${socket}`;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new CliError(`listen ${place}: ${error.message}`)));
    if (socket === '') {
      server.listen(port, address, resolve);
      return;
    }
    // A socket that somebody left behind; any other file stays, and is the failure.
    if (statSync(socket, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(socket);
    const mask = process.umask(0o077);
    server.listen(socket, resolve);
    process.umask(mask);
  });
}

async function forward(
  context: CommandContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > maximumBodyBytes) throw new CliError('the request is too large');
    chunks.push(chunk as Buffer);
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      ownHeaders.has(name) || value === undefined ? [] : [[name, String(value)]],
    ),
  );
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller went away')));
  const answer = await context.client().raw({
    method: request.method ?? 'GET',
    path,
    headers,
    ...(bytes === 0 ? {} : { body: Buffer.concat(chunks) }),
    signal: AbortSignal.any([context.signal, gone.signal]),
  });
  const passed = Object.entries(answer.headers).filter(
    ([name, value]) => !ownHeaders.has(name) && !name.startsWith(':') && value !== undefined,
  );
  response.writeHead(answer.status, Object.fromEntries(passed) as Record<string, string | string[]>);
  await pipeline(answer.body, response).catch(() => undefined);
}

function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error instanceof ApiError) {
    response.writeHead(error.code, { 'content-type': 'application/json' }).end(JSON.stringify(error.status));
    return;
  }
  response.writeHead(502, { 'content-type': 'text/plain' }).end(error instanceof Error ? error.message : String(error));
}
