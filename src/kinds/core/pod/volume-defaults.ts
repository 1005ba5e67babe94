import type * as core from '#kinds/generated/types/core_v1.ts';
import { isLatestImage } from '#kinds/image.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import type { Mutable } from '#machinery/meta.ts';

type Volume = Mutable<core.Volume>;

/** The permissions of files in volumes that the cluster writes: 0644. */
const fileMode = 0o644;
const tokenLifetimeSeconds = 3600;

export function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= fileMode;
    defaultDownwardItems(volume.downwardAPI.items);
  }
  if (volume.projected !== undefined) defaultProjected(volume.projected);
  if (volume.image !== undefined) {
    volume.image.pullPolicy ??= isLatestImage(volume.image.reference ?? '') ? 'Always' : 'IfNotPresent';
  }
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim !== undefined) defaultClaimSpec(claim);
  defaultOlderSources(volume);
}

export function defaultClaimSpec(spec: Mutable<core.PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.resources?.limits as ResourceList | undefined);
  roundResources(spec.resources?.requests as ResourceList | undefined);
}

function defaultProjected(projected: Mutable<core.ProjectedVolumeSource>): void {
  projected.defaultMode ??= fileMode;
  for (const source of projected.sources ?? []) {
    defaultDownwardItems(source.downwardAPI?.items);
    if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= tokenLifetimeSeconds;
  }
}

function defaultDownwardItems(items: Mutable<core.DownwardAPIVolumeFile>[] | undefined): void {
  for (const item of items ?? []) {
    if (item.fieldRef !== undefined) item.fieldRef.apiVersion ??= 'v1';
    if (item.resourceFieldRef !== undefined) item.resourceFieldRef.divisor ??= '0';
  }
}

/** The defaults of a volume that a persistent volume, or something like one, describes. */
export function defaultPersistentSources(spec: Mutable<core.PersistentVolumeSpec>): void {
  roundResources(spec.capacity as ResourceList | undefined);
  if (spec.hostPath !== undefined) spec.hostPath.type ??= '';
  defaultOlderSources(spec);
}

/** Sources that name a storage system; persistent volumes have them too. */
function defaultOlderSources(
  source: Mutable<Pick<core.Volume & core.PersistentVolumeSpec, 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>>,
): void {
  if (source.iscsi !== undefined) source.iscsi.iscsiInterface ??= 'default';
  if (source.rbd !== undefined) {
    source.rbd.pool ??= 'rbd';
    source.rbd.user ??= 'admin';
    source.rbd.keyring ??= '/etc/ceph/keyring';
  }
  if (source.azureDisk !== undefined) {
    source.azureDisk.cachingMode ??= 'ReadWrite';
    source.azureDisk.fsType ??= 'ext4';
    source.azureDisk.readOnly ??= false;
    source.azureDisk.kind ??= 'Shared';
  }
  if (source.scaleIO !== undefined) {
    source.scaleIO.storageMode ??= 'ThinProvisioned';
    source.scaleIO.fsType ??= 'xfs';
  }
}
