import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseYaml, YamlError } from '#machinery/yaml.ts';
import { type ExecPlugin, execCredential } from './exec-credential.ts';
import type { HttpClientOptions } from './options.ts';

/** A kubeconfig file as it stands, every list optional. */
export interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[];
  readonly users?: readonly { readonly name: string; readonly user: KubeconfigUser }[];
  readonly contexts?: readonly { readonly name: string; readonly context: KubeconfigContext }[];
}

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
}

export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-uid'?: string;
  readonly exec?: ExecPlugin;
}

export interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** What a chosen context comes to. */
export interface ResolvedKubeconfig {
  readonly contextName: string;
  /** Where commands without `-n` work. */
  readonly namespace: string;
  readonly client: HttpClientOptions;
}

/** The files that kubectl would read: the flag's, those in KUBECONFIG, or the one in the home directory. */
export function kubeconfigPaths(explicit?: string, environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  if (explicit !== undefined && explicit !== '') return [explicit];
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')];
}

/**
 * Reads and merges kubeconfig files; of two entries with one name the first file's wins, as in kubectl. Relative
 * paths inside a file are resolved against its folder. Files that do not exist are skipped when several are given.
 */
export function readKubeconfig(paths: readonly string[]): Kubeconfig {
  const files = paths.flatMap((path) => {
    const text = readIfPresent(path);
    return text === undefined ? [] : [withAbsolutePaths(parseKubeconfig(text, path), dirname(resolve(path)))];
  });
  const first = <T extends { readonly name: string }>(lists: readonly (readonly T[] | undefined)[]): T[] => {
    const byName = new Map<string, T>();
    for (const item of lists.flatMap((list) => list ?? [])) if (!byName.has(item.name)) byName.set(item.name, item);
    return [...byName.values()];
  };
  const current = files.find((file) => (file['current-context'] ?? '') !== '')?.['current-context'];
  return {
    ...(current === undefined ? {} : { 'current-context': current }),
    clusters: first(files.map((file) => file.clusters)),
    users: first(files.map((file) => file.users)),
    contexts: first(files.map((file) => file.contexts)),
  };
}

/** Chooses a context and turns it into what a client needs. Throws an Error that says what is missing. */
export function loadKubeconfig(
  options: {
    /** The flag `--kubeconfig`. */
    readonly path?: string | undefined;
    readonly context?: string | undefined;
    readonly cluster?: string | undefined;
    readonly user?: string | undefined;
    readonly namespace?: string | undefined;
    /** Where KUBECONFIG is looked up; the process's own environment unless given. */
    readonly environment?: NodeJS.ProcessEnv;
  } = {},
): ResolvedKubeconfig {
  const config = readKubeconfig(kubeconfigPaths(options.path, options.environment));
  const contextName = options.context ?? config['current-context'] ?? '';
  const context = config.contexts?.find((entry) => entry.name === contextName)?.context;
  if (context === undefined && options.context !== undefined)
    throw new Error(`context "${contextName}" does not exist`);
  const clusterName = options.cluster ?? context?.cluster ?? '';
  const cluster = config.clusters?.find((entry) => entry.name === clusterName)?.cluster;
  if (cluster?.server === undefined) throw new Error('no server is configured: the kubeconfig names no usable cluster');
  const userName = options.user ?? context?.user ?? '';
  const user = config.users?.find((entry) => entry.name === userName)?.user ?? {};
  return {
    contextName,
    namespace: options.namespace ?? context?.namespace ?? 'default',
    client: { ...clusterOptions(cluster), server: cluster.server, ...userOptions(user, cluster) },
  };
}

/** The options of a pod's service account, or undefined outside of a pod. */
export function inClusterOptions(environment: NodeJS.ProcessEnv = process.env): HttpClientOptions | undefined {
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  const ca = readIfPresent(join(folder, 'ca.crt'));
  if (host === undefined || port === undefined || ca === undefined) return undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca,
    // Read again for each call: the kubelet rotates it.
    token: async () => readIfPresent(join(folder, 'token'))?.trim(),
  };
}

function parseKubeconfig(text: string, path: string): Kubeconfig {
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new Error(`error loading config file ${JSON.stringify(path)}: ${error.message}`);
  }
  if (parsed === null) return {};
  if (typeof parsed !== 'object')
    throw new Error(`error loading config file ${JSON.stringify(path)}: it is no mapping`);
  return parsed as Kubeconfig;
}

const clusterFiles = ['certificate-authority'] as const;
const userFiles = ['client-certificate', 'client-key', 'tokenFile'] as const;

function withAbsolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
  const absolute = <T extends object>(entry: T | undefined, fields: readonly (keyof T)[]): T => {
    const copy = { ...entry } as T;
    for (const field of fields) {
      const path = copy[field];
      if (typeof path === 'string' && path !== '') copy[field] = resolve(folder, path) as T[keyof T];
    }
    return copy;
  };
  return {
    ...config,
    clusters: (config.clusters ?? []).map(({ name, cluster }) => ({ name, cluster: absolute(cluster, clusterFiles) })),
    users: (config.users ?? []).map(({ name, user }) => ({ name, user: absolute(user, userFiles) })),
  };
}

function clusterOptions(cluster: KubeconfigCluster): Partial<HttpClientOptions> {
  return {
    ca: material(cluster['certificate-authority-data'], cluster['certificate-authority']),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
    tlsServerName: cluster['tls-server-name'],
  };
}

function userOptions(user: KubeconfigUser, cluster: KubeconfigCluster): Partial<HttpClientOptions> {
  const { tokenFile, exec } = user;
  const impersonate =
    user.as === undefined
      ? undefined
      : {
          user: user.as,
          groups: user['as-groups'] ?? [],
          ...(user['as-uid'] === undefined ? {} : { uid: user['as-uid'] }),
        };
  const base: Partial<HttpClientOptions> = {
    certificate: material(user['client-certificate-data'], user['client-certificate']),
    key: material(user['client-key-data'], user['client-key']),
    username: user.username,
    password: user.password,
    impersonate,
  };
  if (user.token !== undefined) return { ...base, token: user.token };
  if (tokenFile !== undefined) return { ...base, token: async () => readFileSync(tokenFile, 'utf8').trim() };
  if (exec !== undefined) return { ...base, ...execCredential(exec, cluster) };
  return base;
}

/** Inline data wins over a file, as in client-go. */
function material(data: string | undefined, path: string | undefined): string | undefined {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  return path === undefined || path === '' ? undefined : readFileSync(path, 'utf8');
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}
