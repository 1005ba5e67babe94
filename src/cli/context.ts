import { existsSync, readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { createHttpClient, type HttpClient, type HttpClientOptions } from '#client/http/client.ts';
import type { ExchangeResponse } from '#client/http/exchange.ts';
import {
  inClusterOptions,
  kubeconfigPaths,
  loadKubeconfig,
  type ResolvedKubeconfig,
  readKubeconfig,
} from '#client/http/kubeconfig.ts';
import { parseJson, stringifyJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { parseDuration } from '#machinery/time.ts';
import { loadDiscovery } from './discovery/discovery.ts';
import type { RestMapper } from './discovery/mapper.ts';
import { CliError, ExitError } from './failures.ts';
import type { GlobalFlags } from './globals.ts';

/** Where a command reads and writes, and the world it runs in: a test gives its own. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the person interrupts. */
  readonly signal: AbortSignal;
}

/** A plain request to the server. */
export interface CliRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the query, percent-encoded. */
  readonly path: string;
  /** Absent and empty values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object | undefined;
  readonly contentType?: string;
  readonly accept?: string;
}

/** What a verb works with. Nothing is read or asked before it is needed. */
export interface CommandContext {
  readonly io: CliIo;
  readonly globals: GlobalFlags;
  /** Names of the flags that the command line gave. */
  readonly changed: ReadonlySet<string>;
  /** How many of the arguments stand before `--`; undefined when there is none. */
  readonly argsBeforeDash: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** `kubectl rollout status`, for texts that name the command. */
  readonly commandPath: string;
  out(text: string): void;
  err(text: string): void;
  /** From `--namespace`, the kubeconfig's context, or `default`. */
  namespace(): string;
  /** Whether `--namespace` was given. */
  readonly namespaceIsExplicit: boolean;
  kubeconfig(): ResolvedKubeconfig;
  client(): HttpClient;
  /** What the server serves; asked once. */
  mapper(): Promise<RestMapper>;
  /** Sends and reads the whole JSON answer; prints the server's warnings. Throws ApiError. */
  request(request: CliRequest): Promise<JsonObject>;
  /** Sends and gives the answer as a stream. */
  stream(request: CliRequest): Promise<ExchangeResponse>;
  close(): void;
}

export interface ContextOptions {
  readonly io: CliIo;
  readonly globals: GlobalFlags;
  readonly changed: ReadonlySet<string>;
  readonly argsBeforeDash: number | undefined;
  readonly commandPath: string;
}

export function createContext({ io, globals, changed, argsBeforeDash, commandPath }: ContextOptions): CommandContext {
  let resolved: ResolvedKubeconfig | undefined;
  let client: HttpClient | undefined;
  let mapper: Promise<RestMapper> | undefined;
  const warned = new Set<string>();
  const kubeconfig = (): ResolvedKubeconfig => (resolved ??= resolveConnection(io, globals));
  const theClient = (): HttpClient => (client ??= createHttpClient(kubeconfig().client));
  const timeoutMs = requestTimeout(globals['request-timeout']);
  const stream = async (request: CliRequest): Promise<ExchangeResponse> => {
    const response = await theClient()
      .raw({
        method: request.method ?? 'GET',
        path: request.path + queryText(request.query ?? {}),
        headers: {
          accept: request.accept ?? 'application/json',
          ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        },
        ...(request.body === undefined ? {} : { body: stringifyJson(request.body) }),
        signal: timeoutMs === undefined ? io.signal : AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]),
      })
      .catch((error: unknown) => {
        throw refusal(error, kubeconfig().client.server);
      });
    for (const warning of warningsOf(response.headers['warning'])) {
      if (!warned.has(warning)) io.stderr.write(`Warning: ${warning}\n`);
      warned.add(warning);
    }
    return response;
  };
  const context: CommandContext = {
    io,
    globals,
    changed,
    argsBeforeDash,
    commandPath,
    clock: io.clock,
    random: io.random,
    signal: io.signal,
    out: (text) => void io.stdout.write(text),
    err: (text) => void io.stderr.write(text),
    namespaceIsExplicit: changed.has('namespace'),
    namespace: () => (globals.namespace || undefined) ?? (kubeconfig().namespace || 'default'),
    kubeconfig,
    client: theClient,
    mapper: () => (mapper ??= loadDiscovery(context)),
    request: async (request) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await stream(request)).body) chunks.push(chunk as Uint8Array);
      return parseJson(Buffer.concat(chunks)) as JsonObject;
    },
    stream,
    close: () => client?.close(),
  };
  return context;
}

/** Nobody listens there: told with the server as the kubeconfig writes it. */
function refusal(error: unknown, server: string): unknown {
  const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
  if (!isRefused) return error;
  const { host } = new URL(server);
  return new ExitError(1, `The connection to the server ${host} was refused - did you specify the right host or port?`);
}

function queryText(query: NonNullable<CliRequest['query']>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** A bare number counts seconds; zero is no limit. */
function requestTimeout(text: string): number | undefined {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms === undefined) {
    throw new CliError(
      `Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)`,
    );
  }
  return ms <= 0 ? undefined : ms;
}

/** The texts of `299 - "…"` headers (RFC 7234, section 5.5). */
function warningsOf(header: string | string[] | undefined): readonly string[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  return [...text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted]) => quoted!.replace(/\\(.)/g, '$1'));
}

/** kubeconfig, then flags over it; outside of any kubeconfig the pod's service account, else the default address. */
function resolveConnection(io: CliIo, globals: GlobalFlags): ResolvedKubeconfig {
  const base = fromKubeconfig(io, globals);
  const fileText = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8'));
  const overrides: Partial<Record<keyof HttpClientOptions, unknown>> = {
    server: globals.server === undefined ? undefined : serverUrl(globals.server),
    ca: fileText(globals['certificate-authority']),
    certificate: fileText(globals['client-certificate']),
    key: fileText(globals['client-key']),
    token: globals.token,
    username: globals.username,
    password: globals.password,
    tlsServerName: globals['tls-server-name'],
    insecureSkipTlsVerify: globals['insecure-skip-tls-verify'] || undefined,
    impersonate:
      globals.as === undefined
        ? undefined
        : {
            user: globals.as,
            groups: globals['as-group'],
            ...(globals['as-uid'] === undefined ? {} : { uid: globals['as-uid'] }),
          },
  };
  if (globals.as === undefined && (globals['as-group'].length > 0 || globals['as-uid'] !== undefined)) {
    throw new CliError(`requesting uid, groups or user-extra for ${base.contextName} without impersonating a user`);
  }
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return { ...base, client: { ...base.client, clock: io.clock, userAgent: 'kubectl/v1.36.0 (proa)', ...given } };
}

function fromKubeconfig(io: CliIo, globals: GlobalFlags): ResolvedKubeconfig {
  const { kubeconfig: path, context, cluster, user, namespace } = globals;
  checkNames(io, globals);
  try {
    return loadKubeconfig({ path, context, cluster, user, namespace, environment: io.env });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('no server is configured')) throw error;
    const inside = inClusterOptions(io.env as NodeJS.ProcessEnv);
    return {
      contextName: context ?? '',
      namespace: namespace ?? 'default',
      client: inside ?? { server: 'http://localhost:8080' },
    };
  }
}

/** Names that the command line gives must be there. */
function checkNames(io: CliIo, { kubeconfig: path, context, cluster, user }: GlobalFlags): void {
  if (path !== undefined && path !== '' && !existsSync(path)) {
    throw new CliError(`stat ${path}: no such file or directory`);
  }
  if (context === undefined && cluster === undefined && user === undefined) return;
  const config = readKubeconfig(kubeconfigPaths(path, io.env));
  const has = (list: readonly { readonly name: string }[] | undefined, name: string | undefined): boolean =>
    name === undefined || list?.some((entry) => entry.name === name) === true;
  if (!has(config.contexts, context)) {
    throw new ExitError(1, `Error in configuration: context was not found for specified context: ${context}`);
  }
  if (!has(config.clusters, cluster)) throw new CliError(`no server found for cluster "${cluster}"`);
  if (!has(config.users, user)) throw new CliError(`auth info "${user}" does not exist`);
}

const serverUrl = (text: string): string => (/^https?:\/\//.test(text) ? text : `http://${text}`);
