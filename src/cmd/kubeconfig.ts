import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as yaml from 'js-yaml';
import type { KeyPair } from '#apiserver/certificates/authority.ts';

interface Named {
  readonly name: string;
}

/** The parts of a kubeconfig that are merged; everything else in the file is left as it is. */
interface Kubeconfig {
  clusters?: Named[] | null;
  users?: Named[] | null;
  contexts?: Named[] | null;
  'current-context'?: string;
  [other: string]: unknown;
}

const sections = ['clusters', 'users', 'contexts'] as const;
const contextName = 'proa';

/** `$KUBECONFIG`'s first file, or `~/.kube/config`. */
export function userKubeconfigPath(): string {
  const first = (process.env['KUBECONFIG'] ?? '').split(':').find((path) => path !== '');
  return first ?? join(homedir(), '.kube', 'config');
}

export interface ClusterAccess {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly admin: KeyPair;
}

/** A kubeconfig with this cluster alone. Written out: a start does not wait until YAML can be made of anything. */
export function kubeconfigText({ server, certificateAuthority, admin }: ClusterAccess): string {
  return `apiVersion: v1
kind: Config
preferences: {}
clusters:
- name: ${contextName}
  cluster:
    certificate-authority-data: ${base64(certificateAuthority)}
    server: ${server}
users:
- name: ${contextName}
  user:
    client-certificate-data: ${base64(admin.certificate)}
    client-key-data: ${base64(admin.key)}
contexts:
- name: ${contextName}
  context:
    cluster: ${contextName}
    user: ${contextName}
current-context: ${contextName}
`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Adds the context `proa` to a kubeconfig and makes it the current one, as kind and minikube do. */
export function mergeIntoKubeconfig(path: string, access: ClusterAccess): void {
  write(path, withCluster(read(path) ?? {}, access));
}

/** Puts a renewed certificate where an older one of the cluster is; the current context stays as its owner set it. */
export function renewInKubeconfig(path: string, access: ClusterAccess): void {
  const config = read(path);
  if (config?.users?.some(({ name }) => name === contextName) !== true) return;
  const current = config['current-context'];
  write(path, { ...withCluster(config, access), ...(current === undefined ? {} : { 'current-context': current }) });
}

/** Takes the context `proa` out again. */
export function removeFromKubeconfig(path: string): void {
  const config = read(path);
  if (config === undefined) return;
  for (const section of sections) config[section] = others(config[section]);
  if (config['current-context'] === contextName) config['current-context'] = '';
  write(path, config);
}

function withCluster(config: Kubeconfig, access: ClusterAccess): Kubeconfig {
  const own = yaml.load(kubeconfigText(access)) as Kubeconfig;
  const merged: Kubeconfig = { ...own, ...config, 'current-context': contextName };
  for (const section of sections) merged[section] = [...others(config[section]), ...(own[section] ?? [])];
  return merged;
}

function others(entries: readonly Named[] | null | undefined): Named[] {
  return (entries ?? []).filter(({ name }) => name !== contextName);
}

function read(path: string): Kubeconfig | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = yaml.load(readFileSync(path, 'utf8'));
  return parsed !== null && typeof parsed === 'object' ? (parsed as Kubeconfig) : undefined;
}

function write(path: string, config: Kubeconfig): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.proa-new`, yaml.dump(config), { mode: 0o600 });
  renameSync(`${path}.proa-new`, path);
}
