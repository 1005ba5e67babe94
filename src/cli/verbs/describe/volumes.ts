import type { PersistentVolumeSpec, Volume } from '#kinds/generated/types/core_v1.ts';
import type { Sheet } from './sheet.ts';

/** As much as the sources of pods' volumes and of persistent ones have in common, and what each has alone. */
type Source = Partial<Omit<Volume, 'csi'>> &
  Partial<Pick<PersistentVolumeSpec, 'local'>> & {
    readonly csi?: {
      readonly driver: string;
      readonly fsType?: string;
      readonly readOnly?: boolean;
      readonly volumeHandle?: string;
    };
  };
type Line = readonly [label: string, value: string | number | boolean];

export function describeVolumes(sheet: Sheet, volumes: readonly Volume[] | undefined, space: string): void {
  if (volumes === undefined || volumes.length === 0) {
    sheet.raw(`${space}Volumes:\t<none>\n`);
    return;
  }
  sheet.raw(`${space}Volumes:\n`);
  for (const volume of volumes) {
    sheet.line(1, `${space === '' ? '' : ' '}${volume.name}:`);
    describeSource(sheet, volume);
  }
}

/** Where a volume's data comes from, in pods and in persistent volumes. */
export function describeSource(sheet: Sheet, source: Source): void {
  const lines = sourceLines(source);
  for (const [label, value] of lines) sheet.field(label, value, 2);
  if (source.downwardAPI !== undefined) sheet.line(2, 'Items:');
  for (const item of source.downwardAPI?.items ?? []) {
    sheet.line(3, `${item.fieldRef?.fieldPath ?? item.resourceFieldRef?.resource ?? ''} -> ${item.path}`);
  }
}

function sourceLines(source: Source): readonly Line[] {
  const {
    emptyDir,
    hostPath,
    secret,
    configMap,
    projected,
    downwardAPI,
    persistentVolumeClaim,
    nfs,
    csi,
    ephemeral,
    local,
  } = source;
  if (emptyDir !== undefined) {
    return [
      ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ['Medium', emptyDir.medium ?? ''],
      ['SizeLimit', emptyDir.sizeLimit ?? '<unset>'],
    ];
  }
  if (hostPath !== undefined) {
    return [
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', hostPath.path],
      ['HostPathType', hostPath.type ?? '<none>'],
    ];
  }
  if (secret !== undefined) {
    return [
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', secret.secretName ?? ''],
      ['Optional', secret.optional ?? false],
    ];
  }
  if (configMap !== undefined) {
    return [
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', configMap.name ?? ''],
      ['Optional', configMap.optional ?? false],
    ];
  }
  if (projected !== undefined)
    return [
      ['Type', 'Projected (a volume that contains injected data from multiple sources)'],
      ...projectedLines(projected),
    ];
  if (downwardAPI !== undefined) {
    return [['Type', 'DownwardAPI (a volume populated by information about the pod)']];
  }
  if (persistentVolumeClaim !== undefined) {
    return [
      ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
      ['ClaimName', persistentVolumeClaim.claimName],
      ['ReadOnly', persistentVolumeClaim.readOnly ?? false],
    ];
  }
  if (nfs !== undefined) {
    return [
      ['Type', 'NFS (an NFS mount that lasts the lifetime of a pod)'],
      ['Server', nfs.server],
      ['Path', nfs.path],
      ['ReadOnly', nfs.readOnly ?? false],
    ];
  }
  if (csi !== undefined) {
    const handle = csi.volumeHandle === undefined ? [] : ([['VolumeHandle', csi.volumeHandle]] as const);
    return [
      ['Type', 'CSI (a Container Storage Interface (CSI) volume source)'],
      ['Driver', csi.driver],
      ['FSType', csi.fsType ?? ''],
      ...handle,
      ['ReadOnly', csi.readOnly ?? false],
    ];
  }
  if (local !== undefined) {
    return [
      ['Type', 'LocalVolume (a persistent volume backed by local storage on a node)'],
      ['Path', local.path],
    ];
  }
  if (ephemeral !== undefined) {
    const { storageClassName = '', accessModes = [], resources } = ephemeral.volumeClaimTemplate?.spec ?? {};
    return [
      ['Type', 'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)'],
      ['StorageClass', storageClassName],
      ['Volume', ''],
      ['Capacity', resources?.requests?.['storage'] ?? ''],
      ['Access Modes', accessModes.join(',')],
    ];
  }
  return [['Type', '<unknown>']];
}

function projectedLines({ sources = [] }: NonNullable<Volume['projected']>): readonly Line[] {
  return sources.flatMap(({ secret, downwardAPI, configMap, serviceAccountToken }): readonly Line[] => {
    if (secret !== undefined)
      return [
        ['SecretName', secret.name ?? ''],
        ['Optional', secret.optional ?? false],
      ];
    if (downwardAPI !== undefined) return [['DownwardAPI', true]];
    if (configMap !== undefined)
      return [
        ['ConfigMapName', configMap.name ?? ''],
        ['Optional', configMap.optional ?? false],
      ];
    return serviceAccountToken === undefined
      ? []
      : [['TokenExpirationSeconds', serviceAccountToken.expirationSeconds ?? 0]];
  });
}
