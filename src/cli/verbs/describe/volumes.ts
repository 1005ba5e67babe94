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

type Describers = { readonly [Name in keyof Source]?: (source: NonNullable<Source[Name]>) => readonly Line[] };

const describers: Describers = {
  emptyDir: ({ medium = '', sizeLimit = '<unset>' }) => [
    ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
    ['Medium', medium],
    ['SizeLimit', sizeLimit],
  ],
  hostPath: ({ path, type = '<none>' }) => [
    ['Type', 'HostPath (bare host directory volume)'],
    ['Path', path],
    ['HostPathType', type],
  ],
  secret: ({ secretName = '', optional = false }) => [
    ['Type', 'Secret (a volume populated by a Secret)'],
    ['SecretName', secretName],
    ['Optional', optional],
  ],
  configMap: ({ name = '', optional = false }) => [
    ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
    ['Name', name],
    ['Optional', optional],
  ],
  projected: (projected) => [
    ['Type', 'Projected (a volume that contains injected data from multiple sources)'],
    ...projectedLines(projected),
  ],
  downwardAPI: () => [['Type', 'DownwardAPI (a volume populated by information about the pod)']],
  persistentVolumeClaim: ({ claimName, readOnly = false }) => [
    ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
    ['ClaimName', claimName],
    ['ReadOnly', readOnly],
  ],
  nfs: ({ server, path, readOnly = false }) => [
    ['Type', 'NFS (an NFS mount that lasts the lifetime of a pod)'],
    ['Server', server],
    ['Path', path],
    ['ReadOnly', readOnly],
  ],
  csi: ({ driver, fsType = '', volumeHandle, readOnly = false }) => [
    ['Type', 'CSI (a Container Storage Interface (CSI) volume source)'],
    ['Driver', driver],
    ['FSType', fsType],
    ...(volumeHandle === undefined ? [] : ([['VolumeHandle', volumeHandle]] as const)),
    ['ReadOnly', readOnly],
  ],
  local: ({ path }) => [
    ['Type', 'LocalVolume (a persistent volume backed by local storage on a node)'],
    ['Path', path],
  ],
  ephemeral: ({ volumeClaimTemplate }) => {
    const { storageClassName = '', accessModes = [], resources } = volumeClaimTemplate?.spec ?? {};
    return [
      ['Type', 'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)'],
      ['StorageClass', storageClassName],
      ['Volume', ''],
      ['Capacity', resources?.requests?.['storage'] ?? ''],
      ['Access Modes', accessModes.join(',')],
    ];
  },
};

function sourceLines(source: Source): readonly Line[] {
  for (const name of Object.keys(describers) as (keyof Source)[]) {
    const described = source[name];
    if (described !== undefined) return (describers[name] as (source: typeof described) => readonly Line[])(described);
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
