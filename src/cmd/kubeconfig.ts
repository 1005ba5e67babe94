import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as yaml from 'js-yaml';
import type { KeyPair } from '#apiserver/certificates/authority.ts';
import { parseYaml } from '#machinery/yaml.ts';
import { UserError } from './data-folder.ts';
import { fileTrouble, makeFolder } from './files.ts';

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

/** To the cluster of a data folder that runs on this machine, whatever kubeconfigs lead to. */
export function ownAccess(dataDir: string, { port }: { readonly port: number }): ClusterAccess {
  const read = (name: string): string => readFileSync(join(dataDir, 'pki', name), 'utf8');
  const admin = { certificate: read('admin.crt'), key: read('admin.key') };
  return { server: `https://127.0.0.1:${port}`, certificateAuthority: read('ca.crt'), admin };
}

const textHead = `apiVersion: v1
kind: Config
preferences: {}
clusters:
- name: ${contextName}
`;

/** A kubeconfig with this cluster alone. Written out: a start does not wait until YAML can be made of anything. */
export function kubeconfigText({ server, certificateAuthority, admin }: ClusterAccess): string {
  return `${textHead}  cluster:
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

/** Whether a file may be written over: there is none, it is empty, or it is one that was written here for one cluster alone. */
export function holdsNothingElse(path: string): boolean {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return true;
  }
  const isWrittenHere = text.startsWith(textHead) && text.match(/^- name: /gm)?.length === sections.length;
  return text.trim() === '' || isWrittenHere;
}

/** Looks whether a kubeconfig can be written, before anything starts that it would lead to. @throws UserError */
export function checkKubeconfig(path: string, { isMerged }: { readonly isMerged: boolean }): void {
  try {
    if (isMerged) read(path);
    if (existsSync(path)) accessSync(path, constants.W_OK);
    else makeFolder(dirname(path));
    if (isMerged || !existsSync(path)) accessSync(dirname(placeOf(path)), constants.W_OK);
    else if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    throw new UserError(`cannot use the kubeconfig ${path} (${fileTrouble(error)}): choose another with --kubeconfig`);
  }
}

/**
 * Adds the context `proa` to a kubeconfig and makes it the current one, as kind and minikube do.
 * @returns the server of another cluster to which that context led before
 */
export function mergeIntoKubeconfig(path: string, access: ClusterAccess): string | undefined {
  const before = read(path) ?? {};
  write(path, withCluster(before, access));
  const cluster = ownCluster(before);
  return cluster === undefined || leadsTo(cluster, access) ? undefined : cluster.server;
}

/** Puts a renewed certificate where an older one of the cluster is; the current context stays as its owner set it. */
export function renewInKubeconfig(path: string, access: ClusterAccess): void {
  const config = read(path);
  const cluster = config === undefined ? undefined : ownCluster(config);
  if (config === undefined || cluster === undefined || !leadsTo(cluster, access)) return;
  const current = config['current-context'];
  write(path, { ...withCluster(config, access), ...(current === undefined ? {} : { 'current-context': current }) });
}

/** Takes the context `proa` out again, unless it leads to another cluster meanwhile. */
export function removeFromKubeconfig(
  path: string,
  access: Pick<ClusterAccess, 'certificateAuthority'> | undefined,
): void {
  const config = read(path);
  if (config === undefined) return;
  const cluster = ownCluster(config);
  if (cluster !== undefined && access !== undefined && !leadsTo(cluster, access)) return;
  for (const section of sections) config[section] = others(config[section]);
  if (config['current-context'] === contextName) config['current-context'] = '';
  write(path, config);
}

function withCluster(config: Kubeconfig, access: ClusterAccess): Kubeconfig {
  const own = parseYaml(kubeconfigText(access)) as unknown as Kubeconfig;
  const merged: Kubeconfig = { ...own, ...config, 'current-context': contextName };
  for (const section of sections) merged[section] = [...others(config[section]), ...(own[section] ?? [])];
  return merged;
}

interface ClusterEntry {
  readonly server?: string;
  readonly 'certificate-authority-data'?: string;
}

function ownCluster({ clusters }: Kubeconfig): ClusterEntry | undefined {
  const entry = (clusters ?? []).find(({ name }) => name === contextName);
  return (entry as { readonly cluster?: ClusterEntry } | undefined)?.cluster;
}

/** Each cluster has an authority of its own, whatever address it is at. */
function leadsTo(
  { 'certificate-authority-data': authority }: ClusterEntry,
  { certificateAuthority }: Pick<ClusterAccess, 'certificateAuthority'>,
): boolean {
  return authority === base64(certificateAuthority);
}

function others(entries: readonly Named[] | null | undefined): Named[] {
  return (entries ?? []).filter(({ name }) => name !== contextName);
}

function read(path: string): Kubeconfig | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = parseYaml(readFileSync(path, 'utf8'));
  return parsed !== null && typeof parsed === 'object' ? (parsed as unknown as Kubeconfig) : undefined;
}

function write(path: string, config: Kubeconfig): void {
  makeFolder(dirname(path));
  const place = placeOf(path);
  writeFileSync(`${place}.proa-new`, yaml.dump(config), { mode: 0o600 });
  renameSync(`${place}.proa-new`, place);
}

/** Where a file is that may be a link: what it leads to is replaced, not the link. */
function placeOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}
