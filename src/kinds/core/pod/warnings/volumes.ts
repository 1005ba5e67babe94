import { claimSpecWarnings } from '#kinds/core/persistent-volume-claim/warnings.ts';
import type * as core from '#kinds/generated/types/core_v1.ts';

/** Kinds of volumes that are out of use, in the order in which they are told of. */
const oldBeforeClaims: Readonly<Record<string, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
};
const oldAfterClaims: Readonly<Record<string, string>> = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/** Upstream writes one of them in its own way. */
const written: Readonly<Record<string, string>> = { storageos: 'storageOS' };

function deprecations(volume: core.Volume, old: Readonly<Record<string, string>>, path: string): string[] {
  const warnings: string[] = [];
  for (const [field, message] of Object.entries(old))
    if (volume[field as keyof core.Volume] !== undefined)
      warnings.push(`${path}.${written[field] ?? field}: ${message}`);
  return warnings;
}

/** Volumes of kinds that are out of use, and with files that hide each other. */
export function volumeWarnings(volumes: readonly core.Volume[], path: string): string[] {
  const warnings: string[] = [];
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`;
    const claim = volume.ephemeral?.volumeClaimTemplate;
    warnings.push(
      ...deprecations(volume, oldBeforeClaims, at),
      ...(claim === undefined ? [] : claimSpecWarnings(claim.spec, `${at}.ephemeral.volumeClaimTemplate.spec`)),
      ...deprecations(volume, oldAfterClaims, at),
    );
  }
  for (const volume of volumes) warnings.push(...overlapWarnings(volume));
  return warnings;
}

interface File {
  readonly path: string;
  /** Of which of several sources; '' where there is one. */
  readonly source: string;
}

/** Keys of one volume that end up in one file, or one below the other. */
function overlapWarnings({ name, configMap, secret, downwardAPI, projected }: core.Volume): string[] {
  const warn = (what: string, files: readonly File[]): string[] =>
    overlaps(files).map((pair) => `volume ${JSON.stringify(name)} (${what}): overlapping paths: ${pair}`);
  const warnings: string[] = [];
  if (configMap?.items !== undefined)
    warnings.push(...warn(`ConfigMap ${JSON.stringify(configMap.name ?? '')}`, filesOf(configMap.items)));
  if (secret?.items !== undefined)
    warnings.push(...warn(`Secret ${JSON.stringify(secret.secretName ?? '')}`, filesOf(secret.items)));
  if (downwardAPI?.items !== undefined) warnings.push(...warn('DownwardAPI', filesOf(downwardAPI.items)));
  const sources = projected?.sources ?? [];
  for (const source of sources)
    if (Object.keys(source).length === 0)
      warnings.push(`volume ${JSON.stringify(name)} (Projected) has no sources provided`);
  if (sources.length > 0) warnings.push(...warn('Projected', sources.flatMap(filesOfSource)));
  return warnings;
}

function filesOf(items: readonly { readonly path?: string }[], source = ''): File[] {
  return items.map(({ path = '' }) => ({ path, source }));
}

function filesOfSource(source: core.VolumeProjection): File[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  if (configMap?.items !== undefined)
    return filesOf(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? '')}`);
  if (secret?.items !== undefined) return filesOf(secret.items, `Secret ${JSON.stringify(secret.name ?? '')}`);
  if (downwardAPI?.items !== undefined) return filesOf(downwardAPI.items, 'DownwardAPI');
  if (serviceAccountToken !== undefined) return filesOf([serviceAccountToken], 'ServiceAccountToken');
  if (clusterTrustBundle !== undefined) {
    const name = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? '';
    return filesOf([clusterTrustBundle], `ClusterTrustBundle ${JSON.stringify(name)}`);
  }
  if (podCertificate === undefined) return [];
  const { certificateChainPath = '', keyPath = '', credentialBundlePath = '' } = podCertificate;
  return [
    { path: certificateChainPath, source: 'PodCertificate chain' },
    { path: keyPath, source: 'PodCertificate key' },
    { path: credentialBundlePath, source: 'PodCertificate credential bundle' },
  ].filter(({ path }) => path !== '');
}

function overlaps(files: readonly File[]): string[] {
  const found: string[] = [];
  const before: File[] = [];
  for (const { path, source } of files) {
    const file = { path: path.replace(/\/+$/, ''), source };
    for (const other of before) if (isOverlap(file.path, other.path)) found.push(`${shown(file)} with ${shown(other)}`);
    before.push(file);
  }
  return found;
}

function isOverlap(path: string, other: string): boolean {
  if (path === '' || other === '') return false;
  return `${other}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${other}/`);
}

function shown({ path, source }: File): string {
  return source === '' ? JSON.stringify(path) : `${JSON.stringify(path)} (${source})`;
}
