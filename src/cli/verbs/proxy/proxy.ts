import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '#machinery/errors.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { integerFlag, textFlagWith } from '../../flags.ts';
import { defineVerb } from '../../verb.ts';

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

export const proxy = defineVerb({
  name: 'proxy',
  summary: 'Run a proxy to the Kubernetes API server',
  about:
    'Creates a proxy server between localhost and the Kubernetes API server: requests to it arrive there with the credentials of the kubeconfig.',
  usage: '[--port=PORT] [--address=ADDRESS] [--api-prefix=PREFIX]',
  flags: {
    'accept-hosts': textFlagWith(
      '^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$',
      'Regular expression for hosts that the proxy should accept.',
    ),
    address: textFlagWith('127.0.0.1', 'The IP address on which to serve on.'),
    'api-prefix': textFlagWith('/', 'Prefix to serve the proxied API under.'),
    port: integerFlag(8001, 'The port on which to run the proxy. Set to 0 to pick a random port.', { short: 'p' }),
    'reject-methods': textFlagWith('^$', 'Regular expression for HTTP methods that the proxy should reject.'),
    'reject-paths': textFlagWith(
      '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach',
      'Regular expression for paths that the proxy should reject.',
    ),
  },
  async run(context, flags) {
    const patterns = (text: string): readonly RegExp[] => text.split(',').map((pattern) => new RegExp(pattern));
    const hosts = patterns(flags['accept-hosts']);
    const rejected = { paths: patterns(flags['reject-paths']), methods: patterns(flags['reject-methods']) };
    const prefix = flags['api-prefix'].replace(/\/$/, '');
    const server = createServer((request, response) => {
      const { url = '/', method = 'GET' } = request;
      const host = (request.headers.host ?? '').replace(/:\d+$/, '');
      const path = url.split('?')[0] ?? '';
      const isRefused =
        !hosts.some((pattern) => pattern.test(host)) ||
        rejected.paths.some((pattern) => pattern.test(path)) ||
        rejected.methods.some((pattern) => pattern.test(method));
      if (isRefused || !url.startsWith(prefix)) {
        response
          .writeHead(isRefused ? 403 : 404, { 'content-type': 'text/plain' })
          .end(isRefused ? 'Forbidden' : '404 page not found\n');
        return;
      }
      forward(context, request, response, url.slice(prefix.length) || '/').catch((error: unknown) =>
        answerFailure(response, error),
      );
    });
    await listen(server, flags.port, flags.address);
    const { address, port } = server.address() as AddressInfo;
    context.out(`Starting to serve on ${address.includes(':') ? `[${address}]` : address}:${port}\n`);
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

function listen(server: ReturnType<typeof createServer>, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new CliError(`listen tcp ${address}:${port}: ${error.message}`)));
    server.listen(port, address, resolve);
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
