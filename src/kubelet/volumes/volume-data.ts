import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  Volume,
  VolumeProjection,
} from '#kinds/generated/types/core_v1.ts';
import { findContainer } from '../pods/containers.ts';
import type { PodObjects } from '../runtime/environment-variables.ts';
import { type DownwardFacts, fieldValue, resourceValue } from '../runtime/field-reference.ts';
import type { VolumeFile } from './atomic-writer.ts';
import type { CertificateSource, PodCertificates } from './pod-certificates.ts';
import type { TrustBundles } from './trust-bundles.ts';

/** Tokens for service accounts, kept and renewed. */
export interface ServiceAccountTokens {
  get(pod: Pod, request: { readonly audience: string; readonly expirationSeconds: number }): Promise<string>;
}

export interface DataSources {
  readonly objects: PodObjects;
  readonly tokens: ServiceAccountTokens;
  readonly facts: DownwardFacts;
  /** Absent where their feature gates are off. */
  readonly bundles?: TrustBundles | undefined;
  readonly certificates?: PodCertificates | undefined;
}

const defaultMode = 0o644;
const defaultTokenSeconds = 3600;

/** The files of a volume whose contents come from the API. Throws an Error with upstream's message. */
export async function volumeFiles(pod: Pod, volume: Volume, sources: DataSources): Promise<Map<string, VolumeFile>> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return fromConfigMap(pod, configMap, configMap.defaultMode ?? defaultMode, sources);
  if (secret !== undefined) {
    const source = { ...secret, name: secret.secretName ?? '' };
    return fromSecret(pod, source, secret.defaultMode ?? defaultMode, sources);
  }
  if (downwardAPI !== undefined)
    return fromDownward(pod, downwardAPI.items ?? [], downwardAPI.defaultMode ?? defaultMode, sources);
  const files = new Map<string, VolumeFile>();
  for (const [index, source] of (projected?.sources ?? []).entries()) {
    const mode = projected?.defaultMode ?? defaultMode;
    const found =
      source.podCertificate === undefined
        ? await fromProjection(pod, source, mode, sources)
        : await fromCertificate(pod, { volume: volume.name, index, projection: source.podCertificate }, mode, sources);
    for (const [path, file] of found) files.set(path, file);
  }
  return files;
}

async function fromProjection(
  pod: Pod,
  source: VolumeProjection,
  mode: number,
  sources: DataSources,
): Promise<Map<string, VolumeFile>> {
  if (source.configMap !== undefined) return fromConfigMap(pod, source.configMap, mode, sources);
  if (source.secret !== undefined) return fromSecret(pod, source.secret, mode, sources);
  if (source.downwardAPI !== undefined) return fromDownward(pod, source.downwardAPI.items ?? [], mode, sources);
  if (source.serviceAccountToken !== undefined) {
    const { audience = '', expirationSeconds = defaultTokenSeconds, path } = source.serviceAccountToken;
    const token = await sources.tokens.get(pod, { audience, expirationSeconds });
    return new Map([[path, { data: Buffer.from(token), ...privacyOf(pod, mode) }]]);
  }
  if (source.clusterTrustBundle !== undefined) {
    if (sources.bundles === undefined)
      throw new Error('ClusterTrustBundle projection is not supported in static kubelet mode');
    const data = Buffer.from(await sources.bundles.anchors(source.clusterTrustBundle));
    return new Map([[source.clusterTrustBundle.path, { data, ...privacyOf(pod, mode) }]]);
  }
  throw new Error('this kind of projected volume source is not supported');
}

async function fromCertificate(
  pod: Pod,
  source: CertificateSource,
  mode: number,
  { certificates }: DataSources,
): Promise<Map<string, VolumeFile>> {
  if (certificates === undefined) throw new Error('pod certificates are not supported on this node');
  const { key, chain } = await certificates.get(pod, source);
  const { credentialBundlePath = '', keyPath = '', certificateChainPath = '' } = source.projection;
  const files = new Map<string, VolumeFile>();
  const add = (path: string, text: string): void => {
    if (path !== '') files.set(path, { data: Buffer.from(text), ...privacyOf(pod, mode) });
  };
  add(credentialBundlePath, key + chain);
  add(keyPath, key);
  add(certificateChainPath, chain);
  return files;
}

/** Who may read what belongs to a pod alone. */
function privacyOf(pod: Pod, mode: number): { readonly mode: number; readonly uid: number | undefined } {
  const uid = commonUser(pod);
  const isPrivate = uid !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return { mode: isPrivate ? 0o600 : mode, uid };
}

/** The user that all containers run as, when they agree: then a token can be theirs alone. */
function commonUser(pod: Pod): number | undefined {
  const users = new Set(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
      ({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
    ),
  );
  return users.size === 1 ? [...users][0] : undefined;
}

interface ObjectSource {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

async function fromConfigMap(
  pod: Pod,
  source: ObjectSource,
  mode: number,
  { objects }: DataSources,
): Promise<Map<string, VolumeFile>> {
  const name = source.name ?? '';
  const map: ConfigMap | undefined = await objects.configMap(pod.metadata.namespace ?? '', name);
  if (map === undefined && !source.optional) throw new Error(`configmap "${name}" not found`);
  const contents = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(map?.data ?? {})) contents.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(map?.binaryData ?? {})) contents.set(key, Buffer.from(value, 'base64'));
  return select(contents, source, mode, (key) => `configmap references non-existent config key: ${key}`);
}

async function fromSecret(
  pod: Pod,
  source: ObjectSource,
  mode: number,
  { objects }: DataSources,
): Promise<Map<string, VolumeFile>> {
  const name = source.name ?? '';
  const secret: Secret | undefined = await objects.secret(pod.metadata.namespace ?? '', name);
  if (secret === undefined && !source.optional) throw new Error(`secret "${name}" not found`);
  const contents = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(secret?.data ?? {})) contents.set(key, Buffer.from(value, 'base64'));
  return select(contents, source, mode, (key) => `references non-existent secret key: ${key}`);
}

function select(
  contents: ReadonlyMap<string, Uint8Array>,
  { items, optional }: ObjectSource,
  mode: number,
  missing: (key: string) => string,
): Map<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  if (items === undefined || items.length === 0) {
    for (const [key, data] of contents) files.set(key, { data, mode });
    return files;
  }
  for (const item of items) {
    const data = contents.get(item.key);
    if (data === undefined) {
      if (optional) continue;
      throw new Error(missing(item.key));
    }
    files.set(item.path, { data, mode: item.mode ?? mode });
  }
  return files;
}

function fromDownward(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  { facts }: DataSources,
): Map<string, VolumeFile> {
  const files = new Map<string, VolumeFile>();
  for (const item of items) {
    let text = '';
    if (item.fieldRef !== undefined) text = fieldValue(pod, item.fieldRef.fieldPath, facts);
    else if (item.resourceFieldRef !== undefined) {
      const name = item.resourceFieldRef.containerName ?? '';
      const container = findContainer(pod, name);
      if (container === undefined) throw new Error(`container ${name} not found`);
      text = resourceValue(container, item.resourceFieldRef, facts);
    }
    files.set(item.path, { data: Buffer.from(text), mode: item.mode ?? mode });
  }
  return files;
}
